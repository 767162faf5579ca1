/** A failed effect counts as stuck from this number of attempts on; it is still tried again. */
export const STUCK_ATTEMPTS = 5;

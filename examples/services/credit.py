"""
A service that serves the functions of `flows/credit.flow`, on NATS alone: `python3 credit.py nats://127.0.0.1:4222`.

It needs nothing but Python: NATS's protocol is text (https://docs.nats.io/reference/reference-protocols/nats-protocol), and a
micro service answers on a few subjects more (https://docs.nats.io/using-nats/developer/services). With the package `nats-py`
the same is a dozen lines; see docs/services.md.
"""

import json
import secrets
import socket
import sys
from urllib.parse import urlsplit

NAME = "credit"
ID = secrets.token_hex(11)
ABOUT = {
    "name": NAME,
    "id": ID,
    "version": "1.0.0",
    "metadata": {"role": "credit", "language": "python"},
}


def creditworthy(customer, _amount, **_):
    return {"value": not customer.startswith("doubtful")}


def reserve(customer, _amount, **_):
    if customer.startswith("empty"):
        return {"ok": False, "reason": "no funds left today"}
    return {"ok": True}


DONE = set()


def transfer(_customer, _amount, key):
    # What was done under this key is not done again.
    DONE.add(key)
    return {"ok": True}


FUNCTIONS = {"creditworthy": creditworthy, "reserve": reserve, "transfer": transfer}


def endpoints():
    for name in FUNCTIONS:
        # For whichever process is free, and for this one alone, so that a node can choose.
        yield {"name": name, "subject": f"assent.svc.{NAME}.{name}", "queue_group": "q"}
        yield {"name": f"{name}-here", "subject": f"assent.svc.{NAME}.{name}.{ID}", "queue_group": "q"}


def told_about(subject):
    """What a micro service says of itself."""
    asked = subject.split(".")[1]
    if asked == "INFO":
        return {"type": "io.nats.micro.v1.info_response", **ABOUT, "description": "Decides on credit", "endpoints": list(endpoints())}
    if asked == "STATS":
        return {"type": "io.nats.micro.v1.stats_response", **ABOUT, "endpoints": []}
    return {"type": "io.nats.micro.v1.ping_response", **ABOUT}


def answer(subject, body):
    """The headers and the body of the answer."""
    if subject.startswith("$SRV."):
        return {}, told_about(subject)
    name = subject.split(".")[3]
    try:
        request = json.loads(body)
        say(function=name, key=request["idempotencyKey"])
        return {}, FUNCTIONS[name](*request["arguments"], key=request["idempotencyKey"])
    except Exception as error:  # Whatever it is, the asker learns of it, and that another try may help.
        told = {"Nats-Service-Error-Code": "500", "Nats-Service-Error": repr(error).replace("\n", " ")}
        return told, {"retryable": True}


def say(**what):
    print(json.dumps({"language": "python", **what}), flush=True)


def serve(host, port):
    connection = socket.create_connection((host, port))
    stream = connection.makefile("rb")
    stream.readline()  # INFO, the server's greeting
    hello = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "name": NAME, "lang": "python", "version": "1"}
    lines = [f"CONNECT {json.dumps(hello)}"]
    subjects = [(f"$SRV.*{part}", "") for part in ("", f".{NAME}", f".{NAME}.{ID}")]
    subjects += [(endpoint["subject"], "q ") for endpoint in endpoints()]
    lines += [f"SUB {subject} {queue}{sid}" for sid, (subject, queue) in enumerate(subjects, 1)]
    connection.sendall("".join(f"{line}\r\n" for line in [*lines, "PING"]).encode())
    for line in stream:
        words = line.decode().split()
        if words[0] == "PING":
            connection.sendall(b"PONG\r\n")
        elif words[0] == "PONG":
            say(ready=ID)
        elif words[0] in ("MSG", "HMSG"):
            connection.sendall(reply_to(words, stream))
        elif words[0] == "-ERR":
            sys.exit(line.decode())


def reply_to(words, stream):
    """`MSG subject sid reply length` or `HMSG subject sid reply length-of-headers length`, then the payload."""
    payload = stream.read(int(words[-1]) + 2)[:-2]
    body = payload[int(words[-2]) :] if words[0] == "HMSG" else payload
    headers, told = answer(words[1], body)
    head = "NATS/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    sent = head.encode() + json.dumps(told).encode()
    return f"HPUB {words[3]} {len(head.encode())} {len(sent)}\r\n".encode() + sent + b"\r\n"


if __name__ == "__main__":
    url = urlsplit(sys.argv[1] if len(sys.argv) > 1 else "nats://127.0.0.1:4222")
    serve(url.hostname, url.port or 4222)

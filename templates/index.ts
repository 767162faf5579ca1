export { checkTemplate, type TemplateField } from "./check.ts";
export { type DocxContent, docxFile, field, paragraph, run, splitRun, table, tableRow } from "./docx-file.ts";
export { prepareTemplate } from "./prepare.ts";
export {
  type RenderedDocument,
  type RenderFailure,
  type Rendering,
  renderTemplate,
  type TemplateData,
} from "./render.ts";
export { createRenderer, type Renderer, type RendererOptions } from "./renderer.ts";
export {
  type ListPlaceholder,
  type Placeholder,
  type Position,
  type PreparedTemplate,
  placeholders,
  type TemplateFault,
  type TemplateFaultCode,
  type TextPlaceholder,
} from "./template.ts";

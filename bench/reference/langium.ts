import { EmptyFileSystem, type LangiumCoreServices, URI } from "langium";
import { createServicesForGrammar } from "langium/grammar";

/**
 * The part of the language that `flows/bench-expense.flow` needs as a Langium grammar, with its default services: what
 * somebody gets who builds the language on a framework.
 */
const GRAMMAR = `
grammar Flow

entry File: machines+=Machine*;

Machine: 'state' 'machine' name=STRING '{' (
    'title' ':' title=STRING
  | 'label' ':' label=STRING
  | 'data' '{' fields+=Field* '}'
  | 'events' '{' events+=EventDeclaration* '}'
  | 'people' '{' people+=PeopleDeclaration* '}'
  | 'initial' ':' initial=[State:ID]
  | 'states' ':' '[' states+=State (',' states+=State)* ']'
  | 'final' ':' '[' finals+=[State:ID] (',' finals+=[State:ID])* ']'
  | blocks+=StateBlock
  | 'transitions' '{' transitions+=Transition* '}'
)* '}';

State: name=ID;
Field: name=ID ':' (enumName=ID '=' 'one' 'of' '[' members+=ID (',' members+=ID)* ']' | type=TypeName) optional?='?'?;
TypeName returns string: 'money' | 'text' | 'int' | 'user';
EventDeclaration: name=STRING '{' payload+=Payload (',' payload+=Payload)* '}';
Payload: name=ID (':' type=TypeName)?;
PeopleDeclaration: name=ID '=' people=People;
People: name=ID ('(' arguments+=Argument (',' arguments+=Argument)* ')')?;
Argument: text=STRING | name=ID;
StateBlock: 'state' state=[State:ID] '{' 'approval' 'by' stages+=Stage ('then' stages+=Stage)* '}';
Stage: people=[PeopleDeclaration:ID] (all?='all' | 'quorum' part=INT '/' of=INT)?;

Transition: (any?='any' | from=[State:ID]) ARROW to=[State:ID] trigger=Trigger ('by' by=ID)?
  (else?='else' | 'if' condition=Comparison)? (ARROW actions+=Call)*;
Trigger: 'on' (event=STRING | outcome=('approved' | 'rejected')) | 'after' after=DURATION;
Comparison: left=[Field:ID] operator=('>=' | '<=' | '<' | '>' | '==') right=INT;
Call: name=ID '(' (arguments+=Argument (',' arguments+=Argument)*)? ')';

terminal ARROW: '→' | '->';
terminal DURATION: /[0-9]+(ms|[smhdw])/;
terminal INT returns number: /[0-9][0-9_]*/;
terminal ID: /[_a-zA-Z\\u4e00-\\u9fff][\\w\\u4e00-\\u9fff]*/;
terminal STRING: /"[^"]*"/;
hidden terminal WS: /\\s+/;
hidden terminal ML_COMMENT: /\\/\\*[\\s\\S]*?\\*\\//;
hidden terminal SL_COMMENT: /\\/\\/[^\\n\\r]*/;
`;

let services: LangiumCoreServices | undefined;

async function flowServices(): Promise<LangiumCoreServices> {
  services ??= await createServicesForGrammar({ grammar: GRAMMAR, module: {}, ...EmptyFileSystem });
  return services;
}

/** A function that parses a text to Langium's tree. It throws where Langium finds a mistake. */
export async function langiumParser(): Promise<(text: string) => void> {
  const { LangiumParser } = (await flowServices()).parser;
  return (text) => {
    const { lexerErrors, parserErrors } = LangiumParser.parse(text);
    const [mistake] = [...lexerErrors, ...parserErrors];
    if (mistake) throw new Error(`Langium refuses the flow: ${mistake.message}`);
  };
}

/** A function that parses, links and validates a text as Langium's workspace does. */
export async function langiumBuilder(): Promise<(text: string) => Promise<void>> {
  const { shared, LanguageMetaData } = await flowServices();
  const { LangiumDocumentFactory, LangiumDocuments, DocumentBuilder } = shared.workspace;
  const [extension] = LanguageMetaData.fileExtensions;

  let number = 0;
  return async (text) => {
    const uri = URI.parse(`memory:/flow-${number++}${extension}`);
    const document = LangiumDocumentFactory.fromString(text, uri);
    LangiumDocuments.addDocument(document);
    await DocumentBuilder.build([document], { validation: true });
    const mistake = document.diagnostics?.find(({ severity }) => severity === 1);
    if (mistake) throw new Error(`Langium refuses the flow: ${mistake.message}`);
    LangiumDocuments.deleteDocument(uri);
  };
}

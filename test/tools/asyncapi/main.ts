import { readFileSync, writeFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { ASYNCAPI } from './file.ts';
import { messageSchemas } from './schemas.ts';

// npm run asyncapi: writes the schemas of messages into asyncapi.yaml, from the schemas of the
// code. The other parts of the file are written by hand, and asyncapi.test.ts checks them.

const document = parseDocument(readFileSync(ASYNCAPI, 'utf8'));
const schemas = document.createNode(messageSchemas(), { aliasDuplicateObjects: false });
document.setIn(['components', 'schemas'], schemas);
writeFileSync(ASYNCAPI, document.toString({ lineWidth: 0 }));

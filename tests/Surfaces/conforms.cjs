// Reads [{ name, schema, value }] from a file and prints which values do not conform to their schema (JSON Schema
// 2020-12), and which schemas a strict reader refuses. Without a value only the schema is read.
const { createRequire } = require("node:module");
const Ajv = createRequire(process.cwd() + "/")("ajv/dist/2020").default;
const pairs = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv({ strict: true, allErrors: true, validateFormats: false });
ajv.addVocabulary(["x-mcp-header"]);
const readers = new Map(); // a schema is compiled once, however many values it has
const reader = schema => {
  const text = JSON.stringify(schema);
  if (!readers.has(text)) readers.set(text, ajv.compile(schema));
  return readers.get(text);
};
const wrong = pairs.flatMap(({ name, schema, value }) => {
  try {
    const validate = reader(schema);
    return value === undefined || validate(value) ? [] : [`${name}: ${ajv.errorsText(validate.errors)}`];
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
});
console.log(wrong.join("\n") || `${pairs.length} conform`);
process.exit(wrong.length ? 1 : 0);

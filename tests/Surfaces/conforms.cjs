// Reads [{ name, schema, value }] from a file and says which values do not conform to their schema (JSON Schema 2020-12).
const { createRequire } = require("node:module");
const Ajv = createRequire(process.cwd() + "/")("ajv/dist/2020").default;
const pairs = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const wrong = pairs.flatMap(({ name, schema, value }) => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  return ajv.validate(schema, value) ? [] : [`${name}: ${ajv.errorsText()}`];
});
console.log(wrong.join("\n") || `${pairs.length} conform`);
process.exit(wrong.length ? 1 : 0);

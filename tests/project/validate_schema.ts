/** A JSON Schema validator for the keywords that our generator writes; an unknown keyword is an error of the test. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Schema = { readonly [key: string]: Json };

const ANNOTATIONS = new Set(["$schema", "title", "description", "default", "definitions"]);

/** What is wrong, as paths with reasons; empty when the value is valid. */
export function validate(schema: Schema, value: Json, root: Schema = schema, path = ""): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) =>
    ANNOTATIONS.has(keyword) ? [] : check(keyword, argument, schema, value, root, path)
  );
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const asSchemas = (value: Json) => value as readonly Schema[];

function check(keyword: string, argument: Json, schema: Schema, value: Json, root: Schema, path: string): readonly string[] {
  const wrong = (isWrong: boolean): readonly string[] => isWrong ? [`${path}: ${keyword}`] : [];
  switch (keyword) {
    case "$ref":
      return validate((root.definitions as Record<string, Schema>)[String(argument).replace("#/definitions/", "")], value, root, path);
    case "type":
      return wrong(!hasType(value, String(argument)));
    case "const":
      return wrong(value !== argument);
    case "enum":
      return wrong(!(argument as readonly Json[]).includes(value));
    case "pattern":
      return wrong(typeof value === "string" && !new RegExp(String(argument)).test(value));
    case "minimum":
      return wrong(typeof value === "number" && value < Number(argument));
    case "maximum":
      return wrong(typeof value === "number" && value > Number(argument));
    case "minItems":
      return wrong(Array.isArray(value) && value.length < Number(argument));
    case "required":
      return wrong(isObject(value) && (argument as readonly string[]).some((name) => !Object.hasOwn(value, name)));
    case "allOf":
      return asSchemas(argument).flatMap((one) => validate(one, value, root, path));
    case "anyOf": {
      const results = asSchemas(argument).map((one) => validate(one, value, root, path));
      return results.some((result) => result.length === 0) ? [] : [`${path}: anyOf (${results.flat().join("; ")})`];
    }
    case "items":
      return Array.isArray(value)
        ? value.flatMap((item: Json, index) => validate(argument as Schema, item, root, `${path}[${index}]`))
        : [];
    case "properties":
      if (!isObject(value)) return [];
      return Object.entries(argument as Record<string, Schema>).flatMap(([name, one]) =>
        Object.hasOwn(value, name) ? validate(one, value[name], root, `${path}/${name}`) : []
      );
    case "additionalProperties": {
      if (!isObject(value)) return [];
      const known = (schema.properties ?? {}) as Schema;
      const more = Object.entries(value).filter(([name]) => !Object.hasOwn(known, name));
      if (argument === false) return more.map(([name]) => `${path}/${name}: unknown`);
      return more.flatMap(([name, item]) => validate(argument as Schema, item, root, `${path}/${name}`));
    }
    default:
      throw new Error(`unknown keyword ${keyword}`);
  }
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    default:
      return typeof value === "boolean";
  }
}

// Writes small ONNX models: the fields of the public schema, onnx.proto, that they need, as protocol buffers have them.

// elements are the kinds of elements, as the schema numbers them.
export const elements = { float32: 1, int64: 7, bool: 9 };

const attributeKinds = { float: 1, int: 2, text: 3, ints: 7 };

function varint(n) {
  const bytes = [];
  for (n = BigInt.asUintN(64, BigInt(n)); n > 127n; n >>= 7n) {
    bytes.push(Number(n & 127n) | 128);
  }
  return Uint8Array.of(...bytes, Number(n));
}

const number = (field, n) => [varint(field << 3), varint(n)];

function bytes(field, ...parts) {
  const body = parts.flat(Infinity).map((p) => (typeof p === 'string' ? new TextEncoder().encode(p) : p));
  return [varint(field << 3 | 2), varint(body.reduce((sum, p) => sum + p.length, 0)), ...body];
}

function attribute(name, value) {
  if (Array.isArray(value)) {
    return bytes(5, bytes(1, name), value.map((v) => number(8, v)), number(20, attributeKinds.ints));
  }
  if (typeof value === 'string') {
    return bytes(5, bytes(1, name), bytes(4, value), number(20, attributeKinds.text));
  }
  if (value instanceof Float32Array) {
    return bytes(5, bytes(1, name), [varint(2 << 3 | 5), new Uint8Array(value.buffer)], number(20, attributeKinds.float));
  }
  return bytes(5, bytes(1, name), number(3, value), number(20, attributeKinds.int));
}

// call is one application of an operator: to names of values, giving names of values. Attributes are whole numbers, lists of
// such, texts, and Float32Arrays of one number.
export function call(operator, inputs, outputs, attributes = {}) {
  return bytes(1, inputs.map((v) => bytes(1, v)), outputs.map((v) => bytes(2, v)), bytes(4, operator),
    Object.entries(attributes).map(([name, value]) => attribute(name, value)));
}

// constant is an initializer: whole numbers in one dimension, or one floating-point number.
export function constant(name, value) {
  if (Array.isArray(value)) {
    return bytes(5, number(1, value.length), number(2, elements.int64), bytes(8, name),
      bytes(9, new Uint8Array(BigInt64Array.from(value.map(BigInt)).buffer)));
  }
  return bytes(5, number(2, elements.float32), bytes(8, name), bytes(9, new Uint8Array(Float32Array.of(value).buffer)));
}

function value(field, { name, shape = null, type = elements.float32 }) {
  const sides = shape === null ? [] : bytes(2, shape.map((side) => bytes(1, number(1, side))));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, number(1, type), sides)));
}

// model is the file of a model of operator set 17. inputs and outputs have name, shape and type; body is of calls and constants.
export function model(name, inputs, outputs, body) {
  const graph = bytes(7, body, bytes(2, name), inputs.map((v) => value(11, v)), outputs.map((v) => value(12, v)));
  const parts = [number(1, 8), bytes(8, bytes(1, ''), number(2, 17)), graph].flat(Infinity);
  const file = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

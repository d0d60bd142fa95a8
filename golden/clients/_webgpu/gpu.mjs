// WebGPU under Node: Dawn, by npm's package webgpu.
import { createRequire } from 'node:module';
import { create, globals } from 'webgpu';

export const { version } = createRequire(import.meta.url)('webgpu/package.json');

// What navigator.gpu is in a browser. Dawn lives as long as this object, and Node does not end by itself before it.
export const gpu = create([]);
Object.assign(globalThis, globals);

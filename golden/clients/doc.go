// Package clients is backends for the judge that are not written in Go. Two share no line with anything: pytorch/client.py, for
// all kinds of case, and c/client.c, plain loops. The others stand on the harnesses in harness, for Python and for JavaScript,
// which need some functions such as a convolution and do the rest: numpy/client.py, opencl/client.py, _webgpu/client.mjs and
// _onnx/client.js. The package's tests have them judged, and the example of docs/golden.md with them.
//
// It is for whoever writes a backend and wants to see one. It exports nothing.
package clients

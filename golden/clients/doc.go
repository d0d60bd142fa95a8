// Package clients is two backends for the judge that are not written in Go: pytorch/client.py, for all kinds
// of case, and c/client.c, plain loops. Its tests have them judged, and the example of docs/golden.md with
// them.
//
// It is for whoever writes a backend and wants to see one. It exports nothing.
package clients

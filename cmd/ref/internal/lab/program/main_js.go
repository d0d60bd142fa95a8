// Command program is the lab's page's own copy of the module, for js/wasm: it gives the page the function labAnswer, from a request to a
// response (package answer), and waits.
package main

import (
	"context"
	"syscall/js"

	"sdref/cmd/ref/internal/lab/answer"
)

func main() {
	lab := answer.New()
	if err := lab.Quick("unfused"); err != nil { // WebAssembly has no fused multiply-add
		panic(err)
	}
	js.Global().Set("labAnswer", js.FuncOf(func(_ js.Value, args []js.Value) any {
		response := lab.Answer(context.Background(), []byte(args[0].String()))
		bytes := js.Global().Get("Uint8Array").New(len(response))
		js.CopyBytesToJS(bytes, response)
		return bytes
	}))
	js.Global().Call("labReady")
	select {}
}

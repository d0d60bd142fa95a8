package browser_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// TestFirefox opens the exported page in Firefox, over http and from the disk: every screen, the digest of codes at several lambdas, no
// error on the console, nothing wider than the window. It says so and tests nothing where there is no Firefox.
func TestFirefox(t *testing.T) {
	f := newFirefox(t)
	for name, address := range map[string]string{"http": static(t), "file": onDisk()} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			f.open(address + "#known")
			for _, lambda := range []float64{0.35, 0, 0.1} {
				f.await(fmt.Sprintf(`(() => { const s = document.querySelector("input[name=lambda]"); s.value = %g; s.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, lambda))
				f.await(fmt.Sprintf(`document.querySelector(".screen").dataset.state === "shapes:0 %g 2" && /good|bad/.test(document.querySelector(".badge").dataset.state)`, lambda))
				if state := f.eval(`document.querySelector(".badge").dataset.state`); state != "good" {
					t.Errorf("lambda %g: the badge says %v", lambda, f.eval(`document.querySelector(".badge").textContent`))
				}
			}
			list, _ := f.eval(`[...document.querySelectorAll("#screens a")].map((a) => a.hash.slice(1)).join()`).(string)
			screens := regexp.MustCompile(`\w+`).FindAllString(list, -1)
			if len(screens) < 2 {
				t.Fatalf("screens %q", list)
			}
			for _, screen := range screens {
				f.await(fmt.Sprintf(`(location.hash = %q, true)`, screen))
				f.await(fmt.Sprintf(`document.querySelector('#screens a[href="#%s"][aria-current]') && !document.querySelector("[aria-busy=true]")`, screen))
				if over := f.eval(`document.documentElement.scrollWidth - innerWidth`); over.(float64) > 0 {
					t.Errorf("%s: %v pixels more than the window has", screen, over)
				}
			}
			t.Log(f.eval(`navigator.userAgent`))
		})
	}
	for _, fault := range f.faults {
		t.Error(fault)
	}
}

// firefox is a Firefox with one page, driven by WebDriver BiDi, which is JSON over a websocket.
type firefox struct {
	t       *testing.T
	ctx     context.Context
	socket  *websocket.Conn
	last    int
	context string // the page's name
	faults  []string
}

// message is what the browser sends: an answer to a command, or an event.
type message struct {
	ID             int
	Method         string
	Result, Params json.RawMessage
	Error, Message string
}

func newFirefox(t *testing.T) *firefox {
	path, err := exec.LookPath("firefox-esr")
	if err != nil {
		if path, err = exec.LookPath("firefox"); err != nil {
			t.Skip("no Firefox here")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, path, "--headless", "--no-remote", "--profile", t.TempDir(), "--remote-debugging-port", "0", "about:blank")
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	f, lines, address := &firefox{t: t, ctx: ctx}, bufio.NewScanner(said), ""
	for address == "" && lines.Scan() {
		if found := regexp.MustCompile(`BiDi listening on (ws://\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
	}
	go func() {
		for lines.Scan() { // so that it is never kept from writing
		}
	}()
	if f.socket, _, err = websocket.Dial(ctx, address+"/session", nil); err != nil {
		t.Fatalf("%q: %v", address, err)
	}
	f.socket.SetReadLimit(1 << 24)
	f.call("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	f.call("session.subscribe", map[string]any{"events": []string{"log.entryAdded"}}, nil)
	var tree struct{ Contexts []struct{ Context string } }
	f.call("browsingContext.getTree", map[string]any{}, &tree)
	f.context = tree.Contexts[0].Context
	return f
}

// call sends a command, waits for its answer, and notes what the console hears meanwhile.
func (f *firefox) call(method string, params map[string]any, result any) {
	f.t.Helper()
	f.last++
	if err := wsjson.Write(f.ctx, f.socket, map[string]any{"id": f.last, "method": method, "params": params}); err != nil {
		f.t.Fatal(err)
	}
	for {
		var m message
		if err := wsjson.Read(f.ctx, f.socket, &m); err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
		var entry struct{ Level, Text string }
		if m.Method == "log.entryAdded" && json.Unmarshal(m.Params, &entry) == nil && (entry.Level == "error" || entry.Level == "warn") {
			f.faults = append(f.faults, entry.Level+": "+entry.Text)
		}
		if m.ID != f.last {
			continue
		}
		if m.Error != "" {
			f.t.Fatalf("%s: %s: %s", method, m.Error, m.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				f.t.Fatal(err)
			}
		}
		return
	}
}

// open opens an address and waits until the page computes.
func (f *firefox) open(address string) {
	f.t.Helper()
	f.call("browsingContext.navigate", map[string]any{"context": f.context, "url": address, "wait": "complete"}, nil)
	f.await(`document.documentElement.dataset.ready === "true"`)
}

// eval is the value of an expression on the page: a string, a number or a truth value.
func (f *firefox) eval(expression string) any {
	f.t.Helper()
	var answer struct {
		Type             string
		Result           struct{ Value any }
		ExceptionDetails struct{ Text string }
	}
	f.call("script.evaluate", map[string]any{"expression": expression, "target": map[string]any{"context": f.context}, "awaitPromise": true}, &answer)
	if answer.Type != "success" {
		f.t.Fatalf("%s: %s", expression, answer.ExceptionDetails.Text)
	}
	return answer.Result.Value
}

// await waits until an expression is true.
func (f *firefox) await(expression string) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if f.eval("!!("+expression+")") == true {
			return
		}
	}
	f.t.Fatalf("never true: %s; %q; the page says %.600q", expression, f.faults, f.eval(`document.body.innerText`))
}

// Package browser_test drives real browsers, Chromium and, where it is installed, Firefox, through the lab: the folder that ref lab
// -export writes, over http and from the disk, and the page that ref lab serves. It is a module of its own, so that the program does not
// depend on what drives browsers.
//
// With LAB_SHOTS=FOLDER the tests also write a picture of every screen there, at three widths, light and dark.
package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// root is the folder of the program's module.
const root = "../../../../.."

// built is what all tests share: the program, and what it exported.
var built struct{ program, folder string }

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if chromium() == "" {
		fmt.Println("no Chromium here: nothing is tested")
		return 0
	}
	folder, err := os.MkdirTemp("", "lab-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(folder)
	built.program, built.folder = filepath.Join(folder, "ref"), filepath.Join(folder, "export")
	for _, args := range [][]string{{"go", "build", "-o", built.program, "./cmd/ref"}, {built.program, "lab", "-export", built.folder}} {
		command := exec.Command(args[0], args[1:]...)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			fmt.Printf("%v: %v\n%s", args, err, out)
			return 1
		}
	}
	return m.Run()
}

// chromium is the browser's path, "" if there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// patience is how long a page may take for one answer: the slowest, four gradients, took half a minute of WebAssembly on two cores that
// others used as well.
const patience = 6 * time.Minute

// tab is a page in the browser, and what went wrong on it.
type tab struct {
	t   *testing.T
	ctx context.Context

	sync.Mutex
	faults []string
}

// newTab starts a browser with one page.
func newTab(t *testing.T) *tab {
	p := &tab{t: t}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.WSURLReadTimeout(2*time.Minute))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	p.ctx, cancel = chromedp.NewContext(allocator, chromedp.WithListener(p.listen))
	t.Cleanup(cancel)
	p.size(1280, 900)
	return p
}

// listen notes what the browser reports as a mistake. It is called while messages are read, and must be quick.
func (p *tab) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			text, _ := json.Marshal(e.Args)
			fault = "console: " + string(text)
		}
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(e.ExceptionDetails)
		fault = "exception: " + string(text)
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" {
			fault = "log: " + e.Entry.Text + " " + e.Entry.URL
		}
	}
	if fault != "" {
		p.Lock()
		p.faults = append(p.faults, fault)
		p.Unlock()
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%v; %s", err, p.problems())
	}
}

// run runs a script whose result nobody needs.
func (p *tab) run(script string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](script))
}

// size sets the window's size in CSS pixels.
func (p *tab) size(width, height int64) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
}

// call sends a command to the browser.
func call[P, R any](p *tab, command cdp.Command[P, R], parameters P) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, command, parameters); err != nil {
		p.t.Fatal(err)
	}
}

// open opens an address and waits until the page computes.
func (p *tab) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	p.await(`document.documentElement.dataset.ready === "true" || document.querySelector(".failure")`)
	if failure := text(p, ".failure"); failure != "" {
		p.t.Fatal(failure)
	}
}

// await waits until an expression is true.
func (p *tab) await(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if eval[bool](p, "(async () => !!(await ("+expression+")))()") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("never true: %s; %s; the page says %.600q", expression, p.problems(), eval[string](p, `document.body.innerText`))
}

// eval is the value of an expression on the page.
func eval[V any](p *tab, expression string) V {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v; %s", expression, err, p.problems())
	}
	return v
}

// text is what an element says, "" if there is none.
func text(p *tab, selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

// slide moves a slider and waits for the answer.
func (p *tab) slide(name string, value float64) {
	p.t.Helper()
	p.push(name, value)
	p.settle()
}

// push moves a slider as a user's hand does.
func (p *tab) push(name string, value float64) {
	p.t.Helper()
	p.run(fmt.Sprintf(`(() => { const s = document.querySelector('input[type=range][name=%s]'); s.value = %g; s.dispatchEvent(new Event("input", {bubbles: true})); })()`, name, value))
}

// settle waits until nothing is being computed.
func (p *tab) settle() {
	p.t.Helper()
	p.await(`!document.querySelector("[aria-busy=true]")`)
}

func (p *tab) problems() string {
	p.Lock()
	defer p.Unlock()
	return strings.Join(p.faults, "; ")
}

// clean fails if the console has heard of a mistake.
func (p *tab) clean() {
	p.t.Helper()
	if problems := p.problems(); problems != "" {
		p.t.Error(problems)
	}
}

// static serves the exported folder as any web server would.
func static(t *testing.T) string {
	server := httptest.NewServer(http.FileServer(http.Dir(built.folder)))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// onDisk is the address of the exported page as a file.
func onDisk() string { return "file://" + filepath.ToSlash(filepath.Join(built.folder, "index.html")) }

package lab

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/lab/answer"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{{Name: "lab", Run: Run}}

// port is a test server's.
func port(s *httptest.Server) int { return s.Listener.Addr().(*net.TCPAddr).Port }

// The server refuses what its own page would not send.
func TestServerRefuses(t *testing.T) {
	files, err := pageFiles()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(files, "", 4711)
	const question = `{"ask":"about"}`
	for _, c := range []struct {
		what   string
		change func(r *http.Request)
		method string
		path   string
		body   string
		status int
	}{
		{"a question", func(*http.Request) {}, "POST", "/answer", question, 200},
		{"a question by another name of this machine", func(r *http.Request) { r.Host = "localhost:4711" }, "POST", "/answer", question, 200},
		{"a question of the page", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:4711") }, "POST", "/answer", question, 200},
		{"another host", func(r *http.Request) { r.Host = "evil.example:4711" }, "POST", "/answer", question, 403},
		{"another port", func(r *http.Request) { r.Host = "127.0.0.1:80" }, "GET", "/", "", 403},
		{"another page", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, "POST", "/answer", question, 403},
		{"a page without an origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, "POST", "/answer", question, 403},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "POST", "/answer", question, 405},
		{"a question by GET", func(*http.Request) {}, "GET", "/answer", "", 405},
		{"a large question", func(*http.Request) {}, "POST", "/answer", `{"ask":"` + strings.Repeat("x", answer.MaxRequest) + `"}`, 413},
		{"the page", func(*http.Request) {}, "GET", "/", "", 200},
		{"a module", func(*http.Request) {}, "GET", "/main.js", "", 200},
		{"no file", func(*http.Request) {}, "GET", "/none.js", "", 404},
		{"a way out", func(*http.Request) {}, "GET", "/../lab.go", "", 404},
		{"a file in a folder", func(*http.Request) {}, "GET", "/x/main.js", "", 404},
		{"a change", func(*http.Request) {}, "PUT", "/main.js", "x", 405},
	} {
		r := httptest.NewRequest(c.method, "http://127.0.0.1:4711"+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		c.change(r)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d: %.100s", c.what, w.Code, c.status, w.Body)
		}
		if w.Code == 200 && (w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Content-Type") == "") {
			t.Errorf("%s: headers %v", c.what, w.Header())
		}
		if took := w.Header().Get("Server-Timing"); w.Code == 200 && (c.path == "/answer") != strings.HasPrefix(took, "answer;dur=") {
			t.Errorf("%s: Server-Timing %q", c.what, took)
		}
	}
}

// The verb serves on the loopback interface until it is interrupted, and that is no failure.
func TestServeUntilInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	said, write := io.Pipe()
	ended := make(chan clitest.Result)
	go func() { ended <- ref.CallWith(t, ctx, write, "lab", "-open=false") }()
	line := make([]byte, 200)
	n, err := said.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, said)
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(string(line[:n]))
	if address == "" {
		t.Fatalf("no address in %q", line[:n])
	}
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if !strings.Contains(string(text), "start.js") {
		t.Errorf("%.100s", text)
	}
	cancel()
	select {
	case r := <-ended:
		if r.Status != 0 || r.Err != "" {
			t.Errorf("status %d, %q", r.Status, r.Err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still serving")
	}
	if _, err := http.Get(address); err == nil {
		t.Error("the address still answers")
	}
}

func TestBadUsage(t *testing.T) {
	folder := t.TempDir()
	clitest.Put(t, filepath.Join(folder, "thesis.txt"), []byte("years of work"))
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, number, _ := net.SplitHostPort(busy.Addr().String())
	ref.Call(t, "lab", "-port", "70000").Refused(t, "-port", "70000")
	ref.Call(t, "lab", "-open=false", "-port", number).Refused(t, "-port", "in use")
	ref.Call(t, "lab", "-export", folder).Refused(t, "-export", folder, "something else")
	ref.Call(t, "lab", "-export", filepath.Join(folder, "x"), "-port", "1").Refused(t, "-port", "-export")
	ref.Call(t, "lab", "-export", filepath.Join(folder, "x"), "-source", folder).Refused(t, "-source", folder, "module sdref")
	t.Run("far from the source", func(t *testing.T) {
		t.Chdir(folder)
		ref.Call(t, "lab", "-export", filepath.Join(folder, "x")).Refused(t, "-source")
	})
	t.Run("without Go", func(t *testing.T) {
		t.Setenv("PATH", folder)
		ref.Call(t, "lab", "-export", filepath.Join(folder, "x")).Refused(t, "Go", "no go command")
	})
	if _, err := os.Stat(filepath.Join(folder, "x")); err == nil {
		t.Error("a folder was made")
	}
	if r := ref.Call(t, "lab", "-export"); r.Status != cli.ExitError {
		t.Errorf("status %d", r.Status)
	}
}

// The modules import only what there is, and in no circle; every place that a screen names is one that the page can show.
func TestPage(t *testing.T) {
	files, err := pageFiles()
	if err != nil {
		t.Fatal(err)
	}
	order, err := moduleOrder(files)
	if err != nil {
		t.Fatal(err)
	}
	if order[len(order)-1] != "main.js" || len(order) < 6 {
		t.Errorf("modules %v", order)
	}
	shown := string(files["source.json"])
	named := regexp.MustCompile(`(?:formula\([^\n]*|line\()"((?:\([AB]\.\d\)[^"]*)|[a-z]+)"`)
	count := 0
	for _, name := range order {
		for _, m := range named.FindAllStringSubmatch(string(files[name]), -1) {
			count++
			if !strings.Contains(shown, `"`+m[1]+`":{"file":`) {
				t.Errorf("%s shows the place %q, and there is none of that name", name, m[1])
			}
		}
	}
	if count < 2 {
		t.Errorf("%d places were found in the modules", count)
	}
}

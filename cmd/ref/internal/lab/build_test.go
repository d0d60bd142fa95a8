package lab

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli/clitest"
)

// command puts a shell script under a name into a folder that is all of PATH.
func command(t *testing.T, name, text string) (folder string) {
	t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs a shell, and Linux's name of the command that opens a browser")
	}
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!"+shell+"\n"+text), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
	return folder
}

// The server has the program built when it is first asked for, once, for js/wasm, and tells a page for which that fails what Go said.
func TestServedProgram(t *testing.T) {
	get := func(s *server, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:4711"+path, nil))
		return w
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "lib", "wasm"), 0o777); err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, filepath.Join(root, "lib", "wasm", "wasm_exec.js"), []byte("starts it"))
	calls := filepath.Join(root, "calls")
	command(t, "go", `[ "$1" = env ] && echo '`+root+`' && exit
echo "$GOOS/$GOARCH $1" >>'`+calls+`'
while [ "$1" != -o ]; do shift; done
printf 'of %s' "$3" >"$2"
`)
	s := newServer(nil, "", 4711)
	for range 2 {
		w := get(s, "/"+programFile)
		z, err := gzip.NewReader(w.Body)
		if err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" {
			t.Fatalf("status %d, %v, %v", w.Code, w.Header(), err)
		}
		if text, err := io.ReadAll(z); err != nil || string(text) != "of "+programPackage {
			t.Errorf("%q, %v", text, err)
		}
	}
	if w := get(s, "/"+starterFile); w.Code != 200 || w.Body.String() != "starts it" {
		t.Errorf("status %d, %q", w.Code, w.Body)
	}
	if made := clitest.Content(t, calls); made != "js/wasm build\n" {
		t.Errorf("go was called %q", made)
	}
	command(t, "go", `[ "$1" = env ] && echo '`+root+`' && exit
echo 'undefined: everything' >&2
exit 1
`)
	if w := get(newServer(nil, "", 4711), "/"+programFile); w.Code != 404 || !strings.Contains(w.Body.String(), "undefined: everything") || !strings.Contains(w.Body.String(), "cannot compute by itself") {
		t.Errorf("status %d, %q", w.Code, w.Body)
	}
	command(t, "other", "exit")
	if w := get(newServer(nil, "", 4711), "/"+programFile); w.Code != 404 || !strings.Contains(w.Body.String(), "no go command") {
		t.Errorf("status %d, %q", w.Code, w.Body)
	}
}

func TestOpenBrowser(t *testing.T) {
	const address = "http://127.0.0.1:4711/"
	folder := command(t, "xdg-open", "echo \"$1\" >\"$0.opened\"\n")
	if err := openBrowser(address); err != nil {
		t.Fatal(err)
	}
	for range 600 { // up to a minute
		if text, err := os.ReadFile(filepath.Join(folder, "xdg-open.opened")); err == nil && bytes.HasSuffix(text, []byte("\n")) {
			if string(text) != address+"\n" {
				t.Errorf("%q was opened", text)
			}
			command(t, "other", "exit")
			if err := openBrowser(address); err == nil {
				t.Error("without the command a browser was opened")
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("nothing was opened")
}

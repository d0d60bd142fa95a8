package lab

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/lab/answer"
)

// Each module comes after those that it imports; a circle and a module that is not there are errors that name them.
func TestModuleOrder(t *testing.T) {
	module := func(imports ...string) []byte {
		text := ""
		for _, name := range imports {
			text += `import { a } from "./` + name + "\";\n"
		}
		return []byte(text)
	}
	files := map[string][]byte{"main.js": module("a.js", "b.js"), "a.js": module("c.js"), "b.js": module("a.js", "c.js"), "c.js": module(), "alone.js": module()}
	order, err := moduleOrder(files)
	if err != nil || strings.Join(order, " ") != "c.js a.js b.js main.js" {
		t.Errorf("%v, %v", order, err)
	}
	files["c.js"] = module("b.js")
	if _, err := moduleOrder(files); err == nil || !strings.Contains(err.Error(), "circle") || !strings.Contains(err.Error(), "c.js") {
		t.Errorf("a circle: %v", err)
	}
	files["c.js"] = module("gone.js")
	if _, err := offline(files); err == nil || !strings.Contains(err.Error(), "gone.js") {
		t.Errorf("a module that is gone: %v", err)
	}
}

// held is what an offline script holds.
func held(t *testing.T, script []byte) (files map[string]string, modules []string) {
	t.Helper()
	text, ok := bytes.CutPrefix(script, []byte("globalThis.labOffline="))
	var v struct {
		Files   map[string]string
		Modules []string
	}
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte(";\n")), &v); err != nil || !ok {
		t.Fatalf("%.60q: %v", script, err)
	}
	return v.Files, v.Modules
}

// The script for a page that is opened from a disk holds the page's scripts as they are, in an order in which they can be read, the program in base64, and no pictures.
func TestOffline(t *testing.T) {
	files, err := pageFiles()
	if err != nil {
		t.Fatal(err)
	}
	files[programFile] = []byte{0, 1, 254, 255}
	script, err := offline(files)
	if err != nil {
		t.Fatal(err)
	}
	got, modules := held(t, script)
	for name, text := range files {
		want := string(text)
		switch filepath.Ext(name) {
		case ".bin":
			want = base64.StdEncoding.EncodeToString(text)
		case ".js", ".json":
		default:
			want = ""
		}
		if got[name] != want {
			t.Errorf("%s: %.40q, want %.40q", name, got[name], want)
		}
	}
	if len(modules) == 0 || modules[len(modules)-1] != "main.js" {
		t.Errorf("%v", modules)
	}
}

func TestVacant(t *testing.T) {
	folder := t.TempDir()
	if err := vacant(filepath.Join(folder, "new")); err != nil {
		t.Error(err)
	}
	if err := vacant(folder); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	clitest.Put(t, filepath.Join(folder, configFile), nil)
	if err := vacant(folder); err == nil {
		t.Error("half of an export")
	}
	clitest.Put(t, filepath.Join(folder, offlineFile), nil)
	if err := vacant(folder); err != nil {
		t.Errorf("an earlier export: %v", err)
	}
	if err := vacant(filepath.Join(folder, configFile)); err == nil {
		t.Error("a file is no folder")
	}
}

// A source that is not the one that this program was built from is refused by the file that differs or is missing.
func TestOtherSource(t *testing.T) {
	root, err := findSource("")
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{source: root}
	if err := b.same(); err != nil {
		t.Errorf("this source: %v", err)
	}
	b.source = t.TempDir()
	if err := os.CopyFS(b.source, sdref.Source); err != nil {
		t.Fatal(err)
	}
	if err := b.same(); err != nil {
		t.Errorf("a copy: %v", err)
	}
	var files []string
	if err := fs.WalkDir(sdref.Source, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, path)
		}
		return err
	}); err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	changed := filepath.Join(b.source, filepath.FromSlash(files[len(files)/2]))
	if err := os.WriteFile(changed, []byte("package other\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := b.same(); err == nil || !strings.Contains(err.Error(), changed) || !strings.Contains(err.Error(), "build it again") {
		t.Errorf("a changed file: %v", err)
	}
	if err := os.Remove(changed); err != nil {
		t.Fatal(err)
	}
	if err := b.same(); err == nil || !strings.Contains(err.Error(), changed) {
		t.Errorf("a missing file: %v", err)
	}
}

// An export holds the page, a WebAssembly program, and the digests that this program computes.
func TestExport(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the WebAssembly program and computes two thousand codes")
	}
	folder := filepath.Join(t.TempDir(), "lab")
	ref.Works(t, []string{"lab", "-export", folder}, filepath.Join(folder, "index.html"))
	read := func(name string) []byte { return []byte(clitest.Content(t, filepath.Join(folder, name))) }
	z, err := gzip.NewReader(bytes.NewReader(read(programFile)))
	if err != nil {
		t.Fatal(err)
	}
	if program, err := io.ReadAll(z); err != nil || !bytes.HasPrefix(program, []byte("\x00asm")) {
		t.Errorf("%.20q, %v", program, err)
	}
	if !bytes.Contains(read(starterFile), []byte("globalThis.Go")) {
		t.Error("the starter is no script of Go's")
	}
	page, err := pageFiles()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range page {
		if !bytes.Equal(read(name), text) {
			t.Errorf("%s is another", name)
		}
	}
	var table struct{ Digests map[string]string }
	if err := json.Unmarshal(read(digestsFile), &table); err != nil || len(table.Digests) != digestPictures*(lambdaSteps+1)*answer.MaxCodeIterations {
		t.Errorf("%d digests, %v", len(table.Digests), err)
	}
	want, err := answer.New().Digest(answer.Request{Ask: "code", Picture: "shapes:3", Lambda: 0.35, Iterations: 4})
	if err != nil || table.Digests["shapes:3 0.35 4"] != want {
		t.Errorf("digest %s, want %s, %v", table.Digests["shapes:3 0.35 4"], want, err)
	}
	files, modules := held(t, read(offlineFile))
	if files[digestsFile] != string(read(digestsFile)) || !slices.Contains(modules, "main.js") {
		t.Error("the offline script has other files")
	}
}

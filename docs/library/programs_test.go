// Package programs holds programs that use the module from outside, short enough to copy. The test runs all of them and counts their
// lines: a program that grows says that the library has become harder to use.
package programs

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.org/programs/arrays"

	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/npy"
	"sdref/tensor/safetensors"
)

// most is how many lines, without blank ones and comments, each program may have.
var most = map[string]int{"network/main.go": 60, "denoise/main.go": 60, "operator/main.go": 40, "golden/main.go": 30,
	"top3/main.go": 25, "arrays/arrays.go": 15, "server/main.go": 45, "images/main.go": 60}

func TestLines(t *testing.T) {
	for name, limit := range most {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
		if lines > limit {
			t.Errorf("%s has %d lines, more than %d", name, lines, limit)
		}
		t.Logf("%s: %d lines of %d", name, lines, limit)
	}
	folders, err := filepath.Glob("*/*.go")
	if err != nil || len(folders) != len(most) {
		t.Errorf("%d programs, %d limits, %v", len(folders), len(most), err)
	}
}

// build compiles a program.
func build(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	if said, err := exec.Command("go", "build", "-o", out, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, said)
	}
	return out
}

// TestPrograms: what each program prints, the second time too where that is another line. Their files go to a temporary folder.
func TestPrograms(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "picture.png")
	var file bytes.Buffer
	if err := png.Encode(&file, data.Picture(data.Shapes(0, 1, 1).Test.Image(0), data.Side, data.Side)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string][]string{
		"network":  {"the same weights: true"},
		"denoise":  {"reached: within"},
		"operator": {"the gradient is right: true"},
		"golden":   {"recorded: true passed: false", "recorded: false passed: true"},
		"top3":     {"%"},
		"images":   {"recognised 32 of 32"},
	} {
		t.Run(name, func(t *testing.T) {
			program, folder := build(t, name), t.TempDir()
			for _, want := range wanted {
				c := exec.Command(program, picture)
				c.Env = append(os.Environ(), "TMPDIR="+folder, "TMP="+folder)
				said, err := c.CombinedOutput()
				if err != nil || !strings.Contains(string(said), want) {
					t.Errorf("%v: %s\nwant %q", err, said, want)
				}
				t.Logf("%s", said)
			}
		})
	}
}

func TestArrays(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "x.npy"), filepath.Join(t.TempDir(), "x.safetensors")
	x := tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err := npy.Write(from, npy.FromTensor(x)); err != nil {
		t.Fatal(err)
	}
	if err := arrays.Convert(from, "x", to); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Read(to)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := file.GetShaped("x", 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if y, err := safetensors.ToTensor[float32](stored); err != nil || !tensor.SameBits(x, y) {
		t.Errorf("%v, %v", y, err)
	}
	if err := arrays.Convert("none.npy", "x", to); err == nil {
		t.Error("no file was read")
	}
}

// TestServer asks the server several things at once.
func TestServer(t *testing.T) {
	if l, err := net.Listen("tcp", "localhost:8080"); err != nil {
		t.Skip("port 8080 is taken")
	} else {
		l.Close()
	}
	c := exec.Command(build(t, "server"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { c.Process.Kill(); c.Wait() }()
	set := data.Shapes(0, 4, 1).Test
	ask := func(i int) error {
		var file bytes.Buffer
		if err := png.Encode(&file, data.Picture(set.Image(i), data.Side, data.Side)); err != nil {
			return err
		}
		answer, err := http.Post("http://localhost:8080", "image/png", &file)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		var list []struct{ Class string }
		if err := json.NewDecoder(answer.Body).Decode(&list); err != nil || len(list) != 3 || list[0].Class == "" {
			t.Errorf("%v, %v", list, err)
		}
		return nil
	}
	for range 100 {
		if ask(0) == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	errs := make(chan error)
	for i := range set.Len() {
		go func() { errs <- ask(i) }()
	}
	for range set.Len() {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	answer, err := http.Post("http://localhost:8080", "image/png", strings.NewReader("no picture"))
	if err != nil || answer.StatusCode != http.StatusBadRequest {
		t.Errorf("%v, %v", answer, err)
	}
}

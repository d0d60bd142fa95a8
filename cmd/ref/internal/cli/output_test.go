package cli

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A result is another file than what is read, also behind links.
func TestDistinct(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(in(name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	same := []string{in("a"), filepath.Join(folder, ".", "x", "..", "a")}
	if os.Symlink(in("a"), in("soft")) == nil {
		same = append(same, in("soft"))
	}
	if os.Link(in("a"), in("hard")) == nil {
		same = append(same, in("hard"))
	}
	if err := os.Mkdir(in("x"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, out := range same {
		if err := Distinct(out, in("b"), in("a")); err == nil || !strings.Contains(err.Error(), out) {
			t.Errorf("%s: %v", out, err)
		}
	}
	for _, out := range []string{in("b"), in("none"), in("none/none")} {
		if err := Distinct(out, in("a"), in("missing"), "pretrained:x"); err != nil {
			t.Errorf("%s: %v", out, err)
		}
	}
}

// What Quote gives is one word of a shell, and one line.
func TestQuote(t *testing.T) {
	for _, text := range []string{"a/b.pth", "with space", "it's", "$HOME `x` \"q\"", "", "né", "~/x", "-x", "a\nb\t'\\", "a;b&c|d>e", "#x", "=x", "a=b"} {
		q := Quote(text)
		if strings.Contains(q, "\n") {
			t.Errorf("%q is quoted on two lines: %s", text, q)
		}
		out, err := exec.Command("bash", "-c", "printf %s "+q).Output()
		if err != nil {
			t.Skip("no bash: ", err)
		}
		if want := text; string(out) != want && !strings.HasPrefix(text, "-") {
			t.Errorf("%q is quoted as %s, which is %q", text, q, out)
		}
	}
}

func TestAdvice(t *testing.T) {
	for where, want := range map[string]string{
		"a b.pth": "ref import -from 'a b.pth' -out 'a b-checkpoint.safetensors' makes one", "x/best.pth.tar": "-out x/best-checkpoint.safetensors",
		"w": "-out w-checkpoint.safetensors",
	} {
		if got := importCommand(where); !strings.Contains(got, want) {
			t.Errorf("%s: %s", where, got)
		}
	}
	if got := adviceOn("a gzip file", "x y.gz"); got != "gunzip -c 'x y.gz' > 'x y' unpacks it" {
		t.Error(got)
	}
	if got := adviceOn("a PNG picture", "x"); got != "" {
		t.Error(got)
	}
}

// Whether results can be written is tried before the work, which leaves what is there alone.
func TestOpenResults(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, content := range map[string]string{"old.json": "{}", "read.json": "{}", "empty": "", "picture.png": "\x89PNG\r\n\x1a\n\x00\x00"} {
		if err := os.WriteFile(in(name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		flag, path string
		says       []string // nothing if it is taken
	}{
		{"json", in("new.json"), nil},
		{"json", in("old.json"), []string{"-json", "old.json exists", "-overwrite replaces it"}},
		{"json", in("old.json") + " -overwrite", nil},
		{"json", in("read.json") + " -x " + in("read.json"), []string{"-json", "read.json is the file that is read"}},
		{"json", in("read.json") + " -overwrite -x " + in("read.json"), []string{"-json", "read.json is the file that is read"}},
		{"csv", in("empty"), nil},
		{"csv", os.DevNull, nil},
		{"out", in("picture.png"), []string{"-out", "picture.png exists", "-overwrite"}},
		{"out", in("picture.png") + " -overwrite", nil},
		{"json", in("none/new.json"), []string{"-json", "none", "no such file or directory"}},
		{"csv", folder, []string{"-csv", folder, "not a regular file"}},
		{"json", in("picture.png"), []string{"-json", "picture.png", "a PNG picture"}},
		{"json", in("picture.png") + " -overwrite", []string{"-json", "picture.png", "a PNG picture"}},
	} {
		call := &Call{Flags: flag.NewFlagSet("verb", flag.ContinueOnError), Args: strings.Fields("-" + c.flag + " " + c.path)}
		call.Flags.String("x", "", "")
		call.Flags.String(c.flag, "", "write to this `file`")
		err := call.Parse("")
		if (err == nil) != (c.says == nil) {
			t.Errorf("-%s %s: %v", c.flag, c.path, err)
		}
		for _, word := range c.says {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("-%s %s: %q does not say %q", c.flag, c.path, err, word)
			}
		}
	}
	if list, err := os.ReadDir(folder); err != nil || len(list) != 4 {
		t.Errorf("there are %v in the folder, %v", list, err)
	}
	if text, err := os.ReadFile(in("old.json")); err != nil || string(text) != "{}" {
		t.Errorf("old.json holds %q, %v", text, err)
	}
}

// A folder of results is written to if it is new or empty, or if the user has asked for it.
func TestResultFolder(t *testing.T) {
	empty, full := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "atoms.npy"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	parse := func(args ...string) error {
		call := &Call{Flags: flag.NewFlagSet("verb", flag.ContinueOnError), Args: args}
		var folder string
		call.ResultFolder(&folder, full, "the `folder`")
		return call.Parse("")
	}
	for _, args := range [][]string{{"-out", empty}, {"-out", filepath.Join(empty, "new")}, {"-out", full, "-overwrite"}, {"-out", ""}} {
		if err := parse(args...); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := parse(); err == nil || !strings.Contains(err.Error(), full+" is not empty; -overwrite") {
		t.Errorf("a full folder: %v", err)
	}
}

package judge

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/golden/cases"
	"sdref/golden/trial"
	"sdref/tensor"
	"sdref/tensor/npy"
)

// answered writes right float32 answers to the cases into a folder, as a backend would, and returns a command
// that copies them.
func answered(t *testing.T, ids ...string) (folder string, command []string) {
	t.Helper()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	folder = t.TempDir()
	for _, id := range ids {
		c := cases.Find(id)
		values, err := trial.Compute[float32](c, c.Generate(), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{id, id + "_again"} {
			outputs := filepath.Join(folder, name, "outputs")
			if err := os.MkdirAll(outputs, 0o777); err != nil {
				t.Fatal(err)
			}
			for node, v := range values {
				a := npy.Array{Shape: v.Shape, DType: "float32", Data: tensor.Convert[float64](v).Data}
				if err := npy.Write(filepath.Join(outputs, trial.FileName(node)), a); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	clitest.Put(t, filepath.Join(folder, "backend.json"),
		[]byte(`{"name":"copy","profile":"fp32","device":"disk","deterministic":true,"kinds":["conv_forward","fista"]}`))
	return folder, []string{"--", "/bin/sh", "-c", `cp -r "$0/." "$1"; echo copied`, folder}
}

// judged calls ref judge for the cases and fails unless it ends with a status and says the texts.
func judged(t *testing.T, status int, args []string, says ...string) clitest.Result {
	t.Helper()
	r := ref.Call(t, append([]string{"judge"}, args...)...)
	if r.Status != status {
		t.Errorf("ref %q: status %d, want %d: %s%s", r.Args, r.Status, status, r.Out, r.Err)
	}
	r.Says(t, says...)
	return r
}

func TestJudge(t *testing.T) {
	const ids = "conv_forward-3x3-exact,conv_forward-3x3-real,fista-4,prox-nonnegative"
	folder, command := answered(t, "conv_forward-3x3-exact", "conv_forward-3x3-real", "fista-4")
	reports := t.TempDir()
	jsonTo, junit, dir := filepath.Join(reports, "r.json"), filepath.Join(reports, "r.xml"),
		filepath.Join(reports, "dir")
	args := append([]string{"-case", ids, "-json", jsonTo, "-junit", junit, "-dir", dir}, command...)
	r := judged(t, 0, args, "backend copy on disk, declares fp32", "PASS        fista-4",
		"NOT COVERED prox-nonnegative", "4 cases: 3 PASS 1 NOT COVERED; PASS")
	if r.Err != "copied\n" {
		t.Errorf("the command printed %q", r.Err)
	}
	var report struct {
		Schema  int
		Verdict string
		Cases   []struct{ Case, Verdict string }
	}
	if err := json.Unmarshal([]byte(clitest.Content(t, jsonTo)), &report); err != nil ||
		report.Verdict != "PASS" || len(report.Cases) != 4 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := xml.Unmarshal([]byte(clitest.Content(t, junit)), new(struct{})); err != nil {
		t.Error(err)
	}
	if !strings.Contains(clitest.Content(t, filepath.Join(dir, "manifest.txt")), "case fista-4 fista\n") {
		t.Error("no manifest in -dir")
	}
	judged(t, cli.ExitError, args) // the folder is full

	some := append([]string{"-case", ids}, command...)
	code := filepath.Join(folder, "fista-4", "outputs", "3.code.npy")
	whole := clitest.Content(t, code)
	a, err := npy.Decode([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	for i := 6; i < len(a.Data); i += 7 * 6 { // some columns of zeros are hit too
		a.Data[i] += 1
	}
	if err := npy.Write(code, a); err != nil {
		t.Fatal(err)
	}
	judged(t, cli.ExitFailed, some, "LOGIC       fista-4", "iteration 3, code (3/code by prox)", "wrong:",
		"again: ref judge -case fista-4 -- /bin/sh")
	clitest.Put(t, code, []byte(whole[:len(whole)-1]))
	judged(t, cli.ExitError, some, "PROTOCOL    fista-4", "3.code.npy", "8191 bytes, want 8192")
	if err := os.Remove(filepath.Join(folder, "fista-4", "outputs", "4.code.npy")); err != nil {
		t.Fatal(err)
	}
	judged(t, cli.ExitError, append([]string{"-v"}, some...), "PROTOCOL    fista-4", "missing")
	judged(t, cli.ExitUntrusted, append([]string{"-case", "prox-nonnegative"}, command...), "UNTRUSTED")
	clitest.Put(t, filepath.Join(folder, "backend.json"), []byte("{"))
	if r := ref.Call(t, append([]string{"judge"}, some...)...); r.Status != cli.ExitError ||
		!strings.Contains(r.Err, "backend.json") {
		t.Errorf("a broken backend.json: status %d, %s", r.Status, r.Err)
	}
	if r := judged(t, cli.ExitError, []string{"-case", "prox-nonnegative", "-limit", "50ms", "--", "/bin/sh",
		"-c", "exec sleep 60"}); !strings.Contains(r.Err, "not done after 50ms") {
		t.Errorf("a command that hangs: %s", r.Err)
	}
}

// The reference passes before its own judge.
func TestJudgeSelf(t *testing.T) {
	judged(t, 0, []string{"-self", "-smoke"}, "backend sdref", " PASS", "fp32 in ")
	judged(t, 0, []string{"-self", "-kind", "power_iteration"})
}

// TestFlagsRefused: what cannot be meant is an error that names it, before anything runs.
func TestFlagsRefused(t *testing.T) {
	for says, args := range map[string][]string{
		"-limit -1s":             {"-limit", "-1s", "--", "/bin/true"},
		"-case is there twice":   {"-case", "fista-2", "-case=fista-4", "-self"},
		"-v is there twice":      {"-v", "-self", "-v"},
		"leave -kind":            {"-case", "fista-2", "-kind", "fista", "-self"},
		"-flag and -smoke":       {"-case", "fista-2", "-smoke", "-self"},
		"give one of them":       {"-smoke", "-flag", "real", "-self"},
		"fista-2 is there twice": {"-case", "fista-2,fista-2", "-self"},
		`no kind "fist"`:         {"-kind", "prox,fist", "-self"},
		"give one of -self":      {"-self", "--", "/bin/true"},
	} {
		if r := ref.Call(t, append([]string{"judge"}, args...)...); r.Status != cli.ExitError ||
			!strings.Contains(r.Err, says) || r.Out != "" {
			t.Errorf("%q: status %d, %q, want %q", args, r.Status, r.Err, says)
		}
	}
	ref.Works(t, []string{"cases", "-kind", "prox,power_iteration"}, "prox-nan-exact", "power-one")
}

// TestHostileCommands: a command that writes what nobody asked for costs no time, and what it says of itself
// is printed harmlessly.
func TestHostileCommands(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	call := func(script string, flags ...string) clitest.Result {
		args := append([]string{"judge", "-case", "fista-2,prox-nonnegative"}, flags...)
		r := ref.Call(t, append(args, "--", "/bin/sh", "-c", script, "sh")...)
		if strings.ContainsAny(r.Out+r.Err, "\x1b\x07") || strings.Contains(r.Out+r.Err, os.TempDir()) {
			t.Errorf("%s: control characters, or a temporary folder: %q %q", script, r.Out, r.Err)
		}
		return r
	}
	for script, says := range map[string]string{
		`mkfifo "$1/backend.json"`:                             "backend.json: a FIFO, want a regular file",
		`ln -s /dev/zero "$1/backend.json"`:                    "backend.json: a device, want a regular file",
		`mkdir "$1/backend.json"`:                              "backend.json: a folder",
		`: > "$1/backend.json"`:                                "backend.json: an empty file",
		`printf '{"name":"b","profle":1}' > "$1/backend.json"`: `backend.json: unknown key "profle"`,
		`true`: "backend.json: the backend did not write it",
	} {
		if r := call(script); r.Status != cli.ExitError || !strings.Contains(r.Err, says) {
			t.Errorf("%s: status %d, %q, want %q", script, r.Status, r.Err, says)
		}
	}
	escapes := `printf '{"name":"x\\u001b]0;owned\\u0007","profile":"fp32","device":"\\u001b[31m","kinds":["fista"]}' > "$1/backend.json"
for o in "$1"/*/outputs; do printf x > "$o/$(printf 'e\033[31mvil\nPASS fista-20').npy"; done`
	r := call(escapes, "-v")
	if r.Status != cli.ExitError {
		t.Errorf("status %d", r.Status)
	}
	r.Says(t, `backend "x\x1b]0;owned\a" on "\x1b[31m"`, `answer "e\x1b[31mvil\nPASS fista-20.npy"`,
		"no node of the case has this file")
	slow := call(`sleep 600 & sleep 600`, "-limit", "300ms")
	if slow.Status != cli.ExitError || !strings.Contains(slow.Err, "/bin/sh: not done after 300ms") {
		t.Errorf("a command that hangs: %d %q", slow.Status, slow.Err)
	}
	half := call(`printf '{"name":"b","profile":"fp32","kinds":["prox"]}' > "$1/backend.json"; sleep 600`,
		"-limit", "1s")
	half.Says(t, "PROTOCOL    prox-nonnegative", "a required tensor is missing")
	if half.Status != cli.ExitError || !strings.Contains(half.Err, "what it had answered was judged") {
		t.Errorf("a command that is stopped: %d %q", half.Status, half.Err)
	}
}

func TestJudgeFaults(t *testing.T) {
	judged(t, 0, []string{"-faults", "-case", "conv_forward-3x3-exact"}, "faults killed")
}

func TestCases(t *testing.T) {
	all := ref.Works(t, []string{"cases"})
	for _, c := range cases.All() {
		all.Says(t, c.ID, c.Why)
	}
	ref.Works(t, []string{"cases", "-kind", "prox", "-flag", "exact"}, "prox-nan-exact", "prox-signed-exact")
	ref.Works(t, []string{"cases", "-case", "fista-4", "-show"}, `"lambda":0.1`, "input x {", "node 4/code",
		"required", "units")
}

func TestExportedCases(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	ref.Works(t, []string{"cases", "-case", "conv_forward-3x3-real,prox-nan-exact", "-export", dir},
		"2 cases in "+dir)
	c := cases.Find("conv_forward-3x3-real")
	in := c.Generate()
	expected, err := c.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.Read(filepath.Join(dir, c.ID, "expected", "y.npy"))
	if err != nil || a.DType != "float64" || a.Data[5] != expected["y"].Data[5] {
		t.Errorf("%v, %v", a.DType, err)
	}
	var table map[string]tolerance
	if err := json.Unmarshal([]byte(clitest.Content(t, filepath.Join(dir, c.ID, "bounds.json"))),
		&table); err != nil {
		t.Fatal(err)
	}
	if b := table["y"]; b.File != "expected/y.npy" || !(b.Magnitude > 0 && b.Absolute["fp32"] > 0 &&
		b.Absolute["bf16"] > 100*b.Absolute["fp32"] && b.Absolute["fp32"] < 1e-4*b.Magnitude) {
		t.Errorf("%+v", b)
	}
	ref.Call(t, "cases", "-case", "prox-nan-exact", "-export", dir).Refused(t, dir, "not an empty folder")
}

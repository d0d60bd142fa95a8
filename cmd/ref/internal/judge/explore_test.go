package judge

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// client compiles the C client with a change made to its text, and returns the program.
func client(t *testing.T, old, new string) string {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	text := clitest.Content(t, "../../../../golden/clients/c/client.c")
	if !strings.Contains(text, old) {
		t.Fatalf("the client has no %q", old)
	}
	source, program := filepath.Join(t.TempDir(), "client.c"), filepath.Join(t.TempDir(), "client")
	clitest.Put(t, source, []byte(strings.Replace(text, old, new, 1)))
	if output, err := exec.Command(compiler, "-O2", "-o", program, source, "-lm").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

// TestExplore explores the C client, which is started once for all rounds, as it is and with a mistake that few
// sizes show; the file that is written repeats it.
func TestExplore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s; TestExploreCrashes finds, shrinks and says the rule as well")
	}
	const sum = "\tcontract(ANALYSIS, x, w, z, g);\n"
	right := client(t, "", "")
	wrong := client(t, sum, sum+"\tif ((x.c == 6 || x.c == 9 || x.c == 15) && w.n % 4 == 0)\n\t\tfor (size_t i = 0; i < count(z); i++) z.v[i] *= 2;\n")
	out := t.TempDir()
	judged(t, 0, []string{"-explore", "-for", "3s", "-out", out, "--", right}, "backend C loops on cpu", "nothing found",
		"cases drawn with seed 1: conv_forward ", "batch 1 to ", "pairs of values")
	judged(t, cli.ExitFailed, []string{"-explore", "-for", "15s", "-seed", "2", "-kind", "conv_forward", "-out", out, "--",
		wrong}, "FOUND 1, LOGIC in analysis: wrong in conv_forward where channels are 6, 9, 15 and atoms are a multiple of 4; "+
		"right at channels 1, 2, 3, 4, 5, 7, 8, ", "smallest: conv_forward: exact 1, batch 1, channels 6, atoms 4, rows 1,",
		"1 found, which explain")
	file := filepath.Join(out, "found-2-1.json")
	judged(t, cli.ExitFailed, []string{"-case", file, "--", wrong}, "LOGIC       drawn-conv_forward-",
		"again: ref judge -case "+file+" -- "+wrong)
	judged(t, 0, []string{"-case", file + ",fista-2", "--", right}, "PASS        drawn-conv_forward-", "PASS        fista-2")
	ref.Works(t, []string{"cases", "-case", file, "-show"}, "channels 6, atoms 4", "flags exact drawn")
	if left, err := os.ReadDir(out); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestExploreCrashes: a backend that crashes over some cases is reported with these, as missing answers.
func TestExploreCrashes(t *testing.T) {
	crashing := client(t, "static void prox_case(void) {\n", "static void prox_case(void) {\n\tif (attr(\"mu\", 0)) abort();\n")
	r := judged(t, cli.ExitError, []string{"-explore", "-for", "5s", "-kind", "prox,batchnorm", "-out", t.TempDir(), "--",
		crashing}, "FOUND 1, PROTOCOL in the backend: wrong in prox where mu is not 0", "breaks down", "aborted")
	if r.Err != "" && !strings.Contains(r.Err, "cases drawn") {
		t.Errorf("%q", r.Err)
	}
}

// TestExploreSelf: nothing is found in the reference.
func TestExploreSelf(t *testing.T) {
	judged(t, 0, []string{"-explore", "-self", "-for", "3s", "-seed", "7"}, "backend sdref", "training_step ", "nothing found")
}

// TestExploreRefuses: what cannot be meant, and commands that cannot be asked, are errors.
func TestExploreRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		"leave -case out":          {"-explore", "-case", "fista-2", "-self"},
		"leave -smoke out":         {"-explore", "-smoke", "-self"},
		"leave -json out":          {"-explore", "-json", "x", "-self"},
		"-explore and -faults":     {"-explore", "-faults"},
		"-for goes with -explore":  {"-for", "5s", "-self"},
		"-seed goes with -explore": {"-seed", "2", "-self"},
		"-for -5s":                 {"-explore", "-for", "-5s", "-self"},
		"-seed 1048576":            {"-explore", "-seed", "1048576", "-self"},
		"not a directory":          {"-explore", "-out", "explore_test.go/folder", "-self"},
		`no kind "fist"`:           {"-explore", "-kind", "fist", "-self"},
		"absent.json":              {"-case", "absent.json", "-self"},
	} {
		if r := ref.Call(t, append([]string{"judge"}, args...)...); r.Status != cli.ExitError ||
			!strings.Contains(r.Err, says) || r.Out != "" {
			t.Errorf("%q: status %d, %q, want %q", args, r.Status, r.Err, says)
		}
	}
	for says, command := range map[string]string{"exit status 1": "/bin/false", "backend.json": "/bin/true"} {
		if _, err := os.Stat(command); err != nil {
			continue
		}
		if r := ref.Call(t, "judge", "-explore", "--", command); r.Status != cli.ExitError || !strings.Contains(r.Err, says) {
			t.Errorf("%s: status %d, %q, want %q", command, r.Status, r.Err, says)
		}
	}
	file := filepath.Join(t.TempDir(), "bad.json")
	clitest.Put(t, file, []byte(`{"kind":"prox","at":{"columns":0}}`))
	ref.Call(t, "judge", "-case", file, "-self").Refused(t, "-case", file, "columns 0: want 1")
}

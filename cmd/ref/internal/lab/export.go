package lab

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/lab/answer"
	"sdref/internal/atomicfile"
	"sdref/internal/kernel"
)

// The files that are made for an export, beside the page's own.
const (
	programFile = "program.bin" // the WebAssembly program, gzipped; no name that servers treat in a way of their own
	starterFile = "wasm_exec.js"
	digestsFile = "digests.json"
	configFile  = "config.json"
	offlineFile = "offline.js"
)

// exportPage writes the page with the program into a folder.
func exportPage(c *cli.Call, folder, source string) error {
	b, err := newBuilder(source)
	if err != nil {
		return err
	}
	if err := vacant(folder); err != nil {
		return err
	}
	files, err := pageFiles()
	if err != nil {
		return err
	}
	p := cli.NewProgress(c.Stderr, 0)
	defer p.End()
	p.Say("building the WebAssembly program")
	if files[programFile], files[starterFile], err = b.program(c.Context); err != nil {
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		return err
	}
	p.Say("computing the codes' digests")
	if files[digestsFile], err = digests(c, p); err != nil {
		return err
	}
	files[configFile] = []byte(`{"transport":"worker"}`)
	if files[offlineFile], err = offline(files); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("-export: %w", err)
	}
	for name, text := range files {
		if err := atomicfile.WriteBytes(filepath.Join(folder, name), text); err != nil {
			return fmt.Errorf("-export: %w", err)
		}
	}
	fmt.Fprintf(c.Stdout, "%s: %d files; open it, or let any web server serve the folder\n", filepath.Join(folder, "index.html"), len(files))
	return nil
}

// vacant returns an error if a folder holds something else than an export.
func vacant(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("-export: %w", err)
	}
	for _, name := range []string{configFile, offlineFile} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("-export: %s holds something else; give a folder that is new or empty, or an earlier export", folder)
		}
	}
	return nil
}

// The codes whose digests an export holds: of the offered pictures, at these lambdas, after 1 to answer.MaxCodeIterations iterations. The
// page's slider of lambda has the same steps.
const (
	digestPictures = 10
	lambdaSteps    = 20 // per 1
)

// digests computes, with the kernels of this machine, the digests that the page compares its own with: by picture, lambda, iterations.
func digests(c *cli.Call, p *cli.Progress) ([]byte, error) {
	lab, table := answer.New(), map[string]string{}
	for i := range digestPictures {
		picture := fmt.Sprintf("shapes:%d", i)
		for step := range lambdaSteps + 1 {
			lambda := float64(step) / lambdaSteps
			for k := 1; k <= answer.MaxCodeIterations; k++ {
				if c.Context.Err() != nil {
					return nil, cli.ErrInterrupted
				}
				digest, err := lab.Digest(answer.Request{Ask: "code", Picture: picture, Lambda: lambda, Iterations: k})
				if err != nil {
					return nil, err
				}
				table[fmt.Sprintf("%s %s %d", picture, strconv.FormatFloat(lambda, 'g', -1, 64), k)] = digest
			}
		}
		p.Show(float64(i+1)/digestPictures, fmt.Sprintf("picture %d of %d", i+1, digestPictures))
	}
	return json.Marshal(map[string]any{"row": kernel.ActiveName(), "digests": table})
}

// offline is a script that holds all files, for a page that is opened from a disk, where a browser lets it read nothing: texts as they
// are, the program in base64, the modules in an order in which each imports only earlier ones.
func offline(files map[string][]byte) ([]byte, error) {
	held := map[string]string{}
	for name, text := range files {
		switch filepath.Ext(name) {
		case ".bin":
			held[name] = base64.StdEncoding.EncodeToString(text)
		case ".js", ".json":
			held[name] = string(text)
		}
	}
	order, err := moduleOrder(files)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]any{"files": held, "modules": order})
	return append(append([]byte("globalThis.labOffline="), text...), ";\n"...), err
}

// moduleOrder sorts the modules so that each comes after those that it imports.
func moduleOrder(files map[string][]byte) (order []string, err error) {
	var visit func(name string, below []string) error
	visit = func(name string, below []string) error {
		switch {
		case slices.Contains(order, name):
			return nil
		case slices.Contains(below, name):
			return fmt.Errorf("the page's modules import each other in a circle: %v", append(below, name))
		case files[name] == nil:
			return fmt.Errorf("there is no module %s", name)
		}
		for _, part := range strings.Split(string(files[name]), `from "./`)[1:] {
			imported, _, _ := strings.Cut(part, `"`)
			if err := visit(imported, append(below, name)); err != nil {
				return err
			}
		}
		order = append(order, name)
		return nil
	}
	return order, visit("main.js", nil)
}

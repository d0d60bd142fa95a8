package clients

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/trial"
)

// swiftShader describes the Vulkan driver without a GPU that Debian's chromium brings.
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json"

// needsNode returns Node.js, or skips the test where a package is not installed in the folder.
func needsNode(t *testing.T, folder string, packages ...string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node.js")
	}
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(folder, "node_modules", name)); err != nil {
			t.Skipf("no package %s: run npm ci --ignore-scripts in golden/clients/%s", name, folder)
		}
	}
	return node
}

// needsVulkan chooses SwiftShader where the environment says nothing, and skips the test where WebGPU finds no device.
func needsVulkan(t *testing.T, node string) {
	t.Helper()
	if _, err := os.Stat(swiftShader); err == nil && os.Getenv("VK_ICD_FILENAMES") == "" {
		t.Setenv("VK_ICD_FILENAMES", swiftShader)
	}
	const program = `import('./_webgpu/gpu.mjs').then(async ({ gpu }) => process.exit(await gpu.requestAdapter() ? 0 : 3))`
	if output, err := exec.Command(node, "-e", program).CombinedOutput(); err != nil {
		t.Skipf("no device for WebGPU (%s, of Debian's chromium, would be one): %v %s", swiftShader, err, lastLine(output))
	}
}

// mustDo runs a client on cases, all of whose kinds it must do, with every node.
func mustDo(t *testing.T, list []*graph.Case, command ...string) {
	t.Helper()
	all := slices.Concat(operators, solvers, networks)
	result := judged(t, list, command...)
	mustPass(t, result, all)
	mustTrace(t, result, all)
}

func TestNumPy(t *testing.T) {
	needs(t, "numpy")
	mustDo(t, chosen(), python, "numpy/client.py")
}

func TestOpenCL(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 7 s; TestC and TestNumPy ask clients in two other languages")
	}
	needs(t, "pyopencl")
	if output, err := exec.Command(python, "-c", "import pyopencl; pyopencl.get_platforms()[0]").CombinedOutput(); err != nil {
		t.Skipf("no OpenCL platform: %s", lastLine(output))
	}
	mustDo(t, smoke(), python, "opencl/client.py")
}

func TestWebGPU(t *testing.T) {
	node := needsNode(t, "_webgpu", "webgpu")
	needsVulkan(t, node)
	mustDo(t, smoke(), node, "_webgpu/client.mjs")
}

// TestONNXOperators has ONNX Runtime compute cases operator by operator.
func TestONNXOperators(t *testing.T) {
	node := needsNode(t, "_onnx", "onnxruntime-node")
	mustDo(t, smoke(), node, "_onnx/client.js")
}

func TestONNXWeb(t *testing.T) {
	node := needsNode(t, "_onnx", "onnxruntime-web")
	mustDo(t, smoke(), node, "_onnx/client.js", "--runtime", "web")
}

// TestFolders has clients answer a second folder, named by standard input, as the first.
func TestFolders(t *testing.T) {
	clients := map[string][]string{}
	t.Run("Python", func(t *testing.T) {
		needs(t, "numpy")
		clients["Python"] = []string{python, "numpy/client.py"}
	})
	t.Run("JavaScript", func(t *testing.T) {
		clients["JavaScript"] = []string{needsNode(t, "_onnx", "onnxruntime-node"), "_onnx/client.js"}
	})
	var requests []trial.Request
	for _, id := range []string{"conv_forward-3x3-exact", "fista-2-exact"} {
		c := cases.Find(id)
		requests = append(requests, trial.Request{ID: id, Case: c, In: c.Generate()})
	}
	for name, command := range clients {
		dirs := []string{filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "2")}
		for _, dir := range dirs {
			if err := trial.WriteRequests(dir, requests); err != nil {
				t.Fatal(err)
			}
		}
		run := exec.Command(command[0], append(command[1:], dirs[0])...)
		run.Stdin = strings.NewReader(dirs[1] + "\n")
		output, err := run.CombinedOutput()
		if err != nil || string(output) != "done\ndone\n" {
			t.Errorf("%s: %v, printed %q", name, err, output)
		}
		for _, file := range []string{"conv_forward-3x3-exact/outputs/y.npy", "fista-2-exact/outputs/2.code.npy"} {
			first, err1 := os.ReadFile(filepath.Join(dirs[0], file))
			second, err2 := os.ReadFile(filepath.Join(dirs[1], file))
			if err1 != nil || err2 != nil || !bytes.Equal(first, second) {
				t.Errorf("%s: the second folder's %s is not the first's: %v, %v", name, file, err1, err2)
			}
		}
	}
}

// TestPartial has a backend of one function judged: one kind is covered, without its gradients.
func TestPartial(t *testing.T) {
	node := needsNode(t, "")
	harness, err := filepath.Abs("harness/sdref_node.mjs")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prox.mjs")
	program := `import { serve } from '` + harness + `';
const each = ({ shape, data }, f) => ({ shape, data: data.map(f) });
await serve({
  name: 'prox',
  prox: (u, scale, threshold, nonnegative) => each(u, (v) => {
    const rest = Math.abs(Math.fround(scale * v)) - threshold;
    return rest <= 0 || (nonnegative && v < 0) ? 0 : Math.sign(v) * rest;
  }),
});
`
	if err := os.WriteFile(file, []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	result := judged(t, smoke(), node, file)
	mustPass(t, result, []string{"prox"})
	if result.Backend.Gradients == nil || *result.Backend.Gradients {
		t.Errorf("gradients %v, want false", result.Backend.Gradients)
	}
}

package clitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onnxFolder is where the programs are that read ONNX models, below the module's folder.
const onnxFolder = "golden/clients/_onnx"

// ONNXRuntime returns the command that computes golden cases with ONNX Runtime, to which options and the
// folder of models are appended. It skips the test where Node.js or its package onnxruntime-node is missing.
func ONNXRuntime(t testing.TB) (command []string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node.js")
	}
	folder := filepath.Join(root(t), onnxFolder)
	if err := exec.Command(node, "-e", "require(process.argv[1] + '/node_modules/onnxruntime-node')", folder).Run(); err != nil {
		t.Skipf("no ONNX Runtime: run npm ci --ignore-scripts in %s: %v", folder, err)
	}
	return []string{node, filepath.Join(folder, "client.js")}
}

// CheckONNX has Debian's python3-onnx check all models in folders and returns what it says. It skips the test
// where that is missing.
func CheckONNX(t testing.TB, folders ...string) string {
	t.Helper()
	const python = "/usr/bin/python3" // to which python3-onnx belongs
	if exec.Command(python, "-c", "import onnx").Run() != nil {
		t.Skipf("%s has no onnx", python)
	}
	script := filepath.Join(root(t), onnxFolder, "check.py")
	output, err := exec.Command(python, append([]string{script}, folders...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return strings.TrimSpace(string(output))
}

// root is the module's folder.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	for err == nil {
		if _, err = os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if up := filepath.Dir(folder); up != folder {
			folder, err = up, nil
		}
	}
	t.Fatal(err)
	return ""
}

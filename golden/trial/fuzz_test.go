package trial

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// FuzzReadDeclaration: whatever backend.json holds is read or refused, in words without control characters and of limited length.
func FuzzReadDeclaration(f *testing.F) {
	for _, text := range []string{`{"name": "a", "profile": "fp32", "device": "d", "deterministic": true, "kinds": ["fista"]}`,
		`{"name": "\u001b[2J", "profile": "fp16", "device": "", "deterministic": false, "kinds": ["a", "b"], "gradients": false, "subnormals": "flushed", "nan": "unspecified"}`,
		`{"name": null}`, `{"kinds": ["a", "a"]}`, `{`, `{}{}`, "", "\xff\xfe{", `{"name": "a", "name": "b"}`, `{"unknown": 1}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, declarationFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		said := ""
		if d, err := ReadDeclaration(dir); err != nil {
			said = err.Error()
		} else {
			said = d.Name + d.Device
		}
		if strings.ContainsFunc(said, unicode.IsControl) || len(said) > 1000 {
			t.Errorf("%d bytes are said: %q", len(said), said)
		}
	})
}

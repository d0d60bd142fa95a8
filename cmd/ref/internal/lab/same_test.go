package lab

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/lab/answer"
	"sdref/internal/kernel"
)

// requests are twenty of all kinds, some of which are refused.
var requests = []string{
	`{"ask":"pictures"}`,
	`{"ask":"atoms"}`,
	`{"ask":"code","picture":"shapes:0","lambda":0.1,"iterations":2}`,
	`{"ask":"code","picture":"shapes:7","lambda":0.35,"iterations":3}`,
	`{"ask":"code","picture":"shapes:3","lambda":0,"iterations":1,"signed":true,"quick":true}`,
	`{"ask":"code","picture":"shapes:0","lambda":0.1,"iterations":2,"certificate":true}`,
	`{"ask":"shrink","values":[-2,-0.3,0,0.3,2],"lambda":0.7,"step":0.9}`,
	`{"ask":"shrink","values":[-2,-0.3,0,0.3,2],"lambda":0.7,"step":0.9,"mu":0.25,"signed":true}`,
	`{"ask":"stamp","picture":"shapes:1","places":[{"atom":5,"row":0,"column":31,"value":-1.5},{"atom":6,"row":9,"column":9,"value":1}],"at":{"atom":5,"row":0,"column":0}}`,
	`{"ask":"fista","dictionary":"cosines","picture":"shapes:2","solver":"fista","lambda":0.2,"iterations":20}`,
	`{"ask":"fista","dictionary":"cosines","picture":"shapes:2","solver":"published","lambda":0.2,"mu":0.5,"iterations":20}`,
	`{"ask":"fista","dictionary":"stem","picture":"shapes:0","solver":"fista","lambda":0.1,"iterations":2}`,
	`{"ask":"power","dictionary":"cosines","iterations":7}`,
	`{"ask":"bounds","dictionary":"cosines"}`,
	`{"ask":"diverge","dictionary":"cosines","picture":"shapes:4","lambda":0.1,"step":0.1,"iterations":15}`,
	`{"ask":"path","dictionary":"stem","picture":"shapes:0","iterations":2,"values":[0,0.5]}`,
	`{"ask":"gradient","dictionary":"cosines","picture":"shapes:5","solver":"fista","lambda":0.1,"at":{"atom":0,"row":4,"column":5}}`,
	`{"ask":"predict","picture":"shapes:6","network":"sdnet8_all_slim_noshortcut","layer":"block1.1"}`,
	`{"ask":"robust","picture":"shapes:8","noise":"gaussian","severity":3,"lambda":0.4}`,
	`{"ask":"code","picture":"shapes:9000","lambda":0.1,"iterations":2}`,
}

// TestSameBytes asks the same requests in this process, of the server, and of the WebAssembly program under Node, which has the row unfused
// for all but the codes with a digest: so it is compared with this process on that row.
func TestSameBytes(t *testing.T) {
	var want [][]byte
	native := answer.New()
	for i, r := range requests {
		response := native.Answer(context.Background(), []byte(r))
		if refused := bytes.Contains(response[:min(len(response), 40)], []byte(`{"error"`)); refused != (i == len(requests)-1) {
			t.Fatalf("%s: %.300s", r, response[8:])
		}
		want = append(want, response)
	}
	t.Run("http", func(t *testing.T) {
		server := httptest.NewUnstartedServer(nil)
		server.Config.Handler = newServer(nil, "", port(server))
		server.Start()
		defer server.Close()
		for i, r := range requests {
			response, err := http.Post(server.URL+"/answer", "application/json", strings.NewReader(r))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !bytes.Equal(got, want[i]) {
				t.Errorf("%s: status %d, %d bytes, want %d; %v", r, response.StatusCode, len(got), len(want[i]), err)
			}
		}
	})
	t.Run("wasm", func(t *testing.T) {
		if testing.Short() {
			t.Skip("builds the WebAssembly program")
		}
		want, exact := quickResponses(t), want
		for i, got := range underNode(t, requests) {
			if !bytes.Equal(got, want[i]) {
				t.Errorf("%s: %d bytes, want %d: %.200q", requests[i], len(got), len(want[i]), got)
			}
			if digest := digestIn.Find(got); !bytes.Equal(digest, digestIn.Find(exact[i])) || digest == nil && strings.Contains(requests[i], `"code","picture":"shapes:0"`) {
				t.Errorf("%s: its code has %q, the exact row's %q", requests[i], digest, digestIn.Find(exact[i]))
			}
		}
	})
}

var digestIn = regexp.MustCompile(`"digest":"[0-9a-f]{64}"`)

// quickResponses is the responses of a Lab that has the row unfused for what carries no digest.
func quickResponses(t *testing.T) (responses [][]byte) {
	defer kernel.Use(kernel.ActiveName())
	lab := answer.New()
	if err := lab.Quick("unfused"); err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		responses = append(responses, lab.Answer(context.Background(), []byte(r)))
	}
	return responses
}

// underNode is the responses of the WebAssembly program.
func underNode(t *testing.T, requests []string) (responses [][]byte) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node here")
	}
	b, err := newBuilder("")
	if err != nil {
		t.Skipf("cannot build: %v", err)
	}
	packed, starter, err := b.program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unpack, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	program, err := io.ReadAll(unpack)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	names := []string{"testdata/node.mjs"}
	for name, text := range map[string][]byte{"wasm_exec.js": starter, "program.wasm": program} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	names = append(names, filepath.Join(folder, "wasm_exec.js"), filepath.Join(folder, "program.wasm"))
	command := exec.Command(node, names...)
	command.Stdin = strings.NewReader(strings.Join(requests, "\n") + "\n")
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	for line := range strings.Lines(string(out)) {
		response, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		responses = append(responses, response)
	}
	if len(responses) != len(requests) {
		t.Fatalf("%d responses to %d requests: %s", len(responses), len(requests), complaints.String())
	}
	return responses
}

package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"sdref/internal/filekind"
)

// unquoted matches what a shell takes as it stands.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./][A-Za-z0-9_@%+=:,./-]*$`)

// Quote is a text as a shell reads it back, on one line.
func Quote(text string) string {
	if unquoted.MatchString(text) {
		return text
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		q := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(text)
		return "$'" + regexp.MustCompile(`[\x00-\x1f\x7f]`).ReplaceAllStringFunc(q, func(c string) string { return fmt.Sprintf(`\x%02x`, c[0]) }) + "'"
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// endings are those of files of weights, the longest first.
var endings = []string{".pth.tar", ".pth", ".pt", ".bin", ".tar", ".pkl", ".ckpt", ".npz", ".safetensors"}

// importCommand is the command that makes a checkpoint of a file of weights.
func importCommand(from string) string {
	base := from
	for _, ending := range endings {
		if cut, ok := strings.CutSuffix(from, ending); ok && filepath.Base(cut) != "." {
			base = cut
			break
		}
	}
	return fmt.Sprintf("ref import -from %s -out %s makes one", Quote(from), Quote(base+"-checkpoint.safetensors"))
}

// unpackers are the programs that unpack a file to another name.
var unpackers = map[string]struct{ ending, program string }{
	filekind.Gzip: {".gz", "gunzip -c"}, "a bzip2 file": {".bz2", "bunzip2 -c"}, "an xz file": {".xz", "unxz -c"}, "a zstd file": {".zst", "unzstd -c"},
}

// adviceOn is what helps with a file that was taken for another kind, "" if nothing is known.
func adviceOn(kind, where string) string {
	if u, ok := unpackers[kind]; ok {
		out, named := strings.CutSuffix(where, u.ending)
		if !named {
			out += ".unpacked"
		}
		return fmt.Sprintf("%s %s > %s unpacks it", u.program, Quote(where), Quote(out))
	}
	switch kind {
	case filekind.Safetensors:
		return importCommand(where)
	case filekind.WebPage:
		return "the download gave a page in place of the file; look at it by head -c 300 " + Quote(where)
	case filekind.Pointer:
		return fmt.Sprintf("git lfs pull --include %s fetches the file", Quote(filepath.Base(where)))
	case filekind.Shards:
		return "it names the files that hold the weights; join them by PyTorch into one file, and give that to ref import"
	case "a tar archive":
		return fmt.Sprintf("tar -xf %s unpacks it", Quote(where))
	}
	return ""
}

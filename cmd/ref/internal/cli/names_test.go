package cli

import (
	"strings"
	"testing"

	"sdref/sdnet"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 11173962: "11,173,962"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
	if !strings.Contains(NetworkNames(), "sdnet34_all, ") || strings.Count(DataNames(), ",") != len(sdnet.DataSets)-1 {
		t.Errorf("%s; %s", NetworkNames(), DataNames())
	}
}

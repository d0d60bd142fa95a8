package cli

import (
	"fmt"
	"runtime"
	"strings"

	"sdref/internal/kernel"
)

// Machine is the first line of every log. Results of the row unfused have bits of their own, which it says.
func Machine() string {
	row := kernel.ActiveName()
	if kernel.Active[float32]() == kernel.Unfused[float32]() {
		row += " (bits of its own)"
	}
	return fmt.Sprintf("%s, kernel %s, %d goroutines", kernel.CPUName(), row, runtime.GOMAXPROCS(0))
}

func rowNames() string { return strings.Join(kernel.Names(), ", ") }

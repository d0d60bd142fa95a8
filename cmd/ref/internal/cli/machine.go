package cli

import (
	"fmt"
	"runtime"
	"strings"

	"sdref/internal/kernel"
)

// Machine is the first line of every log.
func Machine() string {
	return fmt.Sprintf("%s, kernel %s, %d goroutines", kernel.CPUName(), kernel.ActiveName(), runtime.GOMAXPROCS(0))
}

func rowNames() string {
	var names []string
	for _, r := range kernel.Rows[float32]() {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

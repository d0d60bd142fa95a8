//go:build unix

package measure

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the largest resident set of a finished process, in units of 2^20 bytes, 0 if it is not known.
func peakMemory(s *os.ProcessState) float64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	unit := 1024.0 // Linux counts in units of 2^10 bytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(usage.Maxrss) * unit / (1 << 20)
}

package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// variable is the name of the environment variable that forces a row.
const variable = "SDREF_KERNEL"

// table is the rows of one element type: those with the same bits, generic first and best last, the one without fusion,
// and the chosen one.
type table[T Float] struct {
	rows    []*Set[T]
	unfused *Set[T]
	active  atomic.Pointer[Set[T]]
}

var (
	table32          table[float32]
	table64          table[float64]
	environmentError error
)

func init() {
	native32, native64 := nativeRows()
	table32.rows = append([]*Set[float32]{genericSet[float32]()}, native32...)
	table64.rows = append([]*Set[float64]{genericSet[float64]()}, native64...)
	table32.unfused, table64.unfused = unfusedSet[float32](), unfusedSet[float64]()
	environmentError = choose(os.Getenv(variable))
}

// choose activates the row that the environment asks for, or the best one if it asks for none or for one that
// this machine lacks; the latter is an error.
func choose(environment string) error {
	table32.active.Store(table32.rows[len(table32.rows)-1])
	table64.active.Store(table64.rows[len(table64.rows)-1])
	if environment == "" {
		return nil
	}
	if err := Use(environment); err != nil {
		return fmt.Errorf("environment variable %s: %w", variable, err)
	}
	return nil
}

func tableOf[T Float]() *table[T] {
	if t, ok := any(&table32).(*table[T]); ok {
		return t
	}
	return any(&table64).(*table[T])
}

// Rows returns the rows with the same bits that this build has and this CPU can run, generic first, best last.
// The slice is not to be changed.
func Rows[T Float]() []*Set[T] { return tableOf[T]().rows }

// Unfused returns the row without fused multiply-adds, whose bits are its own. It is active only where Use or
// SDREF_KERNEL named it.
func Unfused[T Float]() *Set[T] { return tableOf[T]().unfused }

// All returns Rows and Unfused.
func All[T Float]() []*Set[T] { return append(slices.Clone(Rows[T]()), Unfused[T]()) }

// Names lists the names of All.
func Names() (list []string) {
	for _, row := range All[float32]() {
		list = append(list, row.Name)
	}
	return list
}

// Active returns the chosen row. Any number of goroutines may call it, also while another calls Use.
func Active[T Float]() *Set[T] { return tableOf[T]().active.Load() }

// ActiveName returns the name of the chosen row.
func ActiveName() string { return table32.active.Load().Name }

// Use chooses a row by name for both element types. The error names the rows that this machine has.
func Use(name string) error {
	rows64 := All[float64]()
	for i, row := range All[float32]() {
		if row.Name == name {
			table32.active.Store(row)
			table64.active.Store(rows64[i])
			return nil
		}
	}
	return fmt.Errorf("kernel %q: this build on this machine has %s", name, strings.Join(Names(), ", "))
}

// EnvironmentError tells whether SDREF_KERNEL named a row that does not exist or that this machine cannot
// run; the best row is active then.
func EnvironmentError() error { return environmentError }

// Package misuse is the value with which this module's packages panic for a caller's mistake that is not one of shapes: a bug of the
// program, as opposed to a bad file or setting, which is an error.
//
// Each package that panics so has an alias of the type, MisuseError.
package misuse

import "fmt"

// Error is a mistake of the caller. Its message begins with the package's name.
type Error struct{ Message string }

// Errorf makes the value of a panic.
func Errorf(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

func (e *Error) Error() string { return e.Message }

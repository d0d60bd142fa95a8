package cli

import "fmt"

// ByType chooses between the instances of a generic function: double where the type is float64, else single.
func ByType[F any](name string, single, double F) F {
	if name == "float64" {
		return double
	}
	return single
}

// CheckType refuses a value of the flag -type that is neither float32 nor float64.
func CheckType(name string) error {
	if name != "float32" && name != "float64" {
		return fmt.Errorf("-type: %q is neither float32 nor float64", name)
	}
	return nil
}

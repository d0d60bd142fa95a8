package data_test

import (
	"strings"
	"testing"

	"sdref/sdnet/data"
)

// TestNormalisation: the mean and the standard deviation of the first channel for each name, and an error for
// another.
func TestNormalisation(t *testing.T) {
	for name, want := range map[string][2]float64{"cifar10": {0.4914, 0.2023}, "cifar100": {0.5071, 0.2675},
		"imagenet": {0.485, 0.229}, "shapes": {0.5, 0.3}} {
		if mean, std, err := data.Normalisation(name); err != nil || mean[0] != want[0] || std[0] != want[1] {
			t.Errorf("%s: %v, %v, %v", name, mean, std, err)
		}
	}
	if _, _, err := data.Normalisation("mnist"); err == nil || !strings.Contains(err.Error(), "mnist") {
		t.Errorf("mnist: %v", err)
	}
}

// TestDatasetNames: a data set bears the name that checkpoints have for it.
func TestDatasetNames(t *testing.T) {
	for name, want := range map[string]string{"CIFAR-10": "cifar10", "CIFAR-100": "cifar100",
		"other": "other"} {
		s := &data.Sets{Name: name, Train: &data.Set{}, Test: &data.Set{}}
		if got := s.Dataset().Name; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := data.Shapes(0, 0, 1).Dataset().Name; got != "shapes" {
		t.Errorf("the drawn images: %q", got)
	}
}

package cli

import (
	"os"
	"runtime/debug"
)

// CollectEarly lets the garbage collector run when garbage is that share of what is in use, unless the user's GOGC says when. By
// default it waits until both are equal, and a run's memory is a few large tensors that live as long as it does: it would hold
// nearly as much garbage. Tensors hold no pointers, so that collecting takes about a millisecond.
func CollectEarly(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// garbageShare is small beside the garbage of most verbs.
const garbageShare = 20

// TrainingGarbageShare is small beside the garbage of training steps, which leave little.
const TrainingGarbageShare = 10

package main

import (
	"os"
	"runtime/debug"
)

// collectEarly lets the garbage collector run when garbage is that share of what is in use, unless the user's GOGC says when. By
// default it waits until both are equal, and a run's memory is a few large tensors that live as long as it does: it would hold
// nearly as much garbage. Tensors hold no pointers, so that collecting takes about a millisecond.
func collectEarly(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// What is small beside the garbage of most verbs, and beside that of training steps, which leave little.
const (
	garbageShare         = 20
	trainingGarbageShare = 10
)

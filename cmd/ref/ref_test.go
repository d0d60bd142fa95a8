package main

import "sdref/cmd/ref/internal/cli/clitest"

// ref is the program.
var ref = clitest.Program(verbs)

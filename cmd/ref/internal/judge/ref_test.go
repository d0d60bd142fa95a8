package judge

import "sdref/cmd/ref/internal/cli/clitest"

// ref is as much of the program as these tests call.
var ref = clitest.Program{
	{Name: "judge", Run: Run},
	{Name: "cases", Run: Cases},
	{Name: "check", Run: Check},
}

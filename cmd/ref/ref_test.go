package main

// ref is the program.
var ref = program(verbs)

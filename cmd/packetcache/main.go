// Command packetcache is the service: it keeps the recent packets of all
// interfaces in a small share of memory, for administrators to read.
package main

import (
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	return report(stderr, newApp(stdout, stderr).Run(arrange(args)))
}

// Consoleevent sends an event to the console handlers of another process of
// Windows, as that does when the user closes the window, logs off or shuts down, and
// Wine does not.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "consoleevent PID EVENT:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("there are %d arguments", len(args))
	}
	pid, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return err
	}
	event, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	return send(uint32(pid), uint32(event))
}

// Command licences writes the licences of what is linked into programs, which ask
// to go with every copy: those of the modules that the programs themselves name,
// and that of Go.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	output := flag.String("o", "THIRD-PARTY.txt", "file to write")
	flag.Parse()
	text, err := licences(flag.Args())
	if err == nil {
		err = os.WriteFile(*output, text, 0o644)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "licences: %v\n", err)
		os.Exit(1)
	}
}

package service

import "fmt"

// An ExitCode says at which step the service failed. The Windows service
// control manager keeps it as the service-specific exit code: "sc query
// PacketCache" and event 7024 show it. Numbers are never used again for
// something else.
type ExitCode uint32

// The exit codes.
const (
	ExitOK        ExitCode = 0
	ExitFailed    ExitCode = 1 // none of the others
	ExitArguments ExitCode = 2 // the command line of the registration
	// 3 was a wrong setting, with which it records nothing now.
	ExitRAM      ExitCode = 4  // how much memory the machine has
	ExitReplay   ExitCode = 5  // opening the files to replay
	ExitCapture  ExitCode = 6  // the right to capture
	ExitMemory   ExitCode = 7  // the memory for the packets
	ExitFilter   ExitCode = 8  // the capture filter
	ExitDump     ExitCode = 9  // the dump endpoint
	ExitControl  ExitCode = 10 // the control endpoint
	ExitHung     ExitCode = 11 // stopping took too long
	ExitNotReady ExitCode = 12 // starting took too long
)

// exitTexts say what the codes mean, and what to look at.
var exitTexts = map[ExitCode]string{
	ExitOK:        "it ended as told",
	ExitFailed:    "it failed; its log says why",
	ExitArguments: "a wrong argument in its registration: see \"sc qc\" for the command line, and reinstall",
	ExitRAM:       "the system does not tell how much memory the machine has",
	ExitReplay:    "a file to replay cannot be opened",
	ExitCapture:   "it may not capture, or cannot on this machine",
	ExitMemory:    "the memory for the packets cannot be had: make ram-percent or ram-size smaller",
	ExitFilter:    "the capture filter cannot be used: correct the setting capture-filter",
	ExitDump:      "the dump endpoint cannot be opened; its log says why",
	ExitControl:   "the control endpoint cannot be opened; its log says why",
	ExitHung:      "it did not stop in time and was ended; its log says what it was doing",
	ExitNotReady:  "it did not start in time and was ended; its log says what it was doing",
}

// String says what the code means.
func (c ExitCode) String() string {
	if text, ok := exitTexts[c]; ok {
		return text
	}
	return fmt.Sprintf("an exit code that this version does not know, %d", uint32(c))
}

package daemon

// A Step is a part of starting, so that an administrator can be told by a
// number which one failed.
type Step int

// The steps, in their order.
const (
	StepReplay  Step = iota + 1 // opening the files to replay
	StepCapture                 // the right and the means to capture
	StepMemory                  // the memory for the packets
	StepFilter                  // the capture filter
	StepDump                    // the dump endpoint
	StepControl                 // the control endpoint
)

// A StartError is why Run could not start.
type StartError struct {
	Step Step
	Err  error
}

// Error implements error.
func (e *StartError) Error() string { return e.Err.Error() }

// Unwrap returns what failed.
func (e *StartError) Unwrap() error { return e.Err }

// failedAt names the step of an error, if there is one.
func failedAt(step Step, err error) error {
	if err == nil {
		return nil
	}
	return &StartError{step, err}
}

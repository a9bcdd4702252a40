package pcctl

// inherited does nothing: an elevated prompt keeps what sshd says.
func inherited(string) []string { return nil }

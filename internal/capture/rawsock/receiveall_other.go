//go:build !windows

package rawsock

import "time"

// Elsewhere there is no SIO_RCVALL; what stands around it is tested there, too.

func explain(err error) error { return err }

func now() int64 { return time.Now().UnixNano() }

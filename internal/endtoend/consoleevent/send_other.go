//go:build !windows

package main

import "errors"

func send(uint32, uint32) error { return errors.ErrUnsupported }

//go:build unix

package service

import (
	"fmt"
	"net"
)

// notify sends a message of sd_notify(3) to the datagram socket of that name;
// an empty name means that nobody listens. A name that begins with @ is one in
// the abstract namespace, which package net spells the same.
func notify(socket, message string) error {
	if socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(message)); err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return nil
}

// A Centrifuge server for one benchmark: clients that resume a channel of which they missed a part.
//
// It keeps the channel's history in memory, takes any token for the name of a user, and recovers
// what a client missed in the reply to its subscription. Before it listens, it publishes messages
// that each have an author, as a message of a chat does. Then it prints its port, and the position
// of a client that missed the second half of them: its offset and its epoch.
//
// Usage: centrifuge MISSED
//
// On Debian 12 it is built from the packages golang-go, golang-github-centrifugal-centrifuge-dev,
// golang-github-centrifugal-protocol-dev, golang-github-fzambia-eagle-dev,
// golang-github-igm-sockjs-go-dev and golang-github-mna-redisc-dev.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	channel    = "bench"
	historyTTL = time.Hour
)

func main() {
	missed, err := strconv.Atoi(os.Args[1])
	check(err)
	node, err := centrifuge.New(centrifuge.DefaultConfig)
	check(err)
	node.OnConnecting(signIn)
	node.OnConnect(func(client *centrifuge.Client) { client.OnSubscribe(subscribe) })
	check(node.Run())
	epoch := publish(node, 2*missed)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	http.Handle("/ws", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port, missed, epoch)
	check(http.Serve(listener, nil))
}

func signIn(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	user := &centrifuge.Credentials{UserID: event.Token}
	return centrifuge.ConnectReply{Credentials: user}, nil
}

func subscribe(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
	options := centrifuge.SubscribeOptions{Recover: true}
	reply(centrifuge.SubscribeReply{Options: options}, nil)
}

// Publishes messages of 128 characters with the mark that the load generator counts.
func publish(node *centrifuge.Node, messages int) (epoch string) {
	history := centrifuge.WithHistory(messages, historyTTL)
	author := centrifuge.WithClientInfo(&centrifuge.ClientInfo{UserID: "root", ClientID: "root"})
	for number := 0; number < messages; number++ {
		text := fmt.Sprintf(`{"text":"@@%016x%s"}`, number, strings.Repeat("x", 110))
		result, err := node.Publish(channel, []byte(text), history, author)
		check(err)
		epoch = result.Epoch
	}
	return epoch
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

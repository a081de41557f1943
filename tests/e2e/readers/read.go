// Prints the lines of an event stream as they come. The transport asks for gzip and decodes it by itself.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
)

func main() {
	response, err := http.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println("decoded:", response.Uncompressed)
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	if lines.Err() != nil {
		panic(lines.Err())
	}
}

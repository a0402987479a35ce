/** The text at the top of `shoal --help`. */
export const HOW_IT_WORKS = `Copies files to many machines at once, with the help of one MQTT broker.

How it works: one broker knows which node has which file. A downloader requests
different chunks from all nodes that have the file, verifies each chunk, and
shares the chunks that it has. A node needs only one outbound connection, to the
broker.

The three most used commands:
  shoal broker        prints where it listens
  shoal share PATH    prints the id and the link of the file or folder
  shoal get ID        on as many machines as you like

To see a whole swarm on this machine: shoal demo`;

/** The text below the options of each command: examples, and what it prints. */
export const EXAMPLES = {
	broker: `
Examples:
  shoal broker                        for this machine only, on port 1883
  shoal broker --lan                  for all machines that have joined it
  shoal broker --lan --no-tls         the same, but not encrypted
  shoal broker --lan --advertise lab.example   behind a NAT, or in a container
  shoal broker --limit clients=5000   at most 5,000 clients; see shoal limits

Prints where it listens and the join links for other machines, and runs until
it is stopped. Other commands of the same user on this machine find this broker
without --broker.`,
	token: `
Examples:
  shoal token           the links again, and a QR code that opens the page
  shoal token renew     new tokens; clients with old ones are disconnected`,
	join: `
Examples:
  shoal join 'shoal:join?broker=mqtt%3A%2F%2F10.0.0.5%3A1883&token=...'
  shoal join                          prints which broker is used by default

Connects to the broker of the link. If that succeeds, stores this broker and its
token for this user, in place of the broker that was joined before. After that,
other commands need no --broker. Commands send the token to the brokers of the
link only; a link can name several brokers of one cluster.
Instead of running this command, a program can set SHOAL_JOIN to a join link.`,
	leave: `
Example:
  shoal leave

After that, other commands use the first of these: the broker in SHOAL_BROKER,
the one in SHOAL_JOIN, the one that you run on this machine, any broker at port
1883 of this machine, or a broker found on the LAN.`,
	tracker: `
Examples:
  shoal tracker --broker mqtt://mosquitto.example:1883
  shoal tracker --broker mqtt://mq1:1883,mqtt://mq2:1883     a cluster

Runs the tracker, which knows which node has which seed, on another MQTT broker,
such as Mosquitto. shoal broker includes a tracker. If a tracker runs on the
broker already, the new one stands by until the other is lost.`,
	share: `
Examples:
  shoal share disk.img
  shoal share photos notes.txt          a folder with all its files, and a file
  shoal share src --exclude .git --exclude '*.o'
  shoal share *.iso --broker mqtt://10.0.0.5:1883 --max-up 20MB
  shoal share disk.img --metrics 9400   metrics at 127.0.0.1:9400/metrics
  shoal share disk.img --broker mqtt://mq1:1883,mqtt://mq2:1883   a cluster

Prints the id and the link of each file or folder, then how much is sent, and
runs until it is stopped. What has not changed since it was last shared is not
hashed again.

A folder is shared as one seed: the names and contents of its files, which of
them are executable, empty folders, and links that stay in the folder. Times
and owners are not shared. If an entry of the folder cannot be shared, such as
a pipe or a link that leads out of the folder, the folder is not shared, unless
--skip-odd or --exclude leaves this entry out. Other files and folders of the
command are shared, and the exit code at the end is 1.`,
	get: `
Examples:
  shoal get 'shoal:3b1f...?name=disk.img&broker=mqtt%3A%2F%2F10.0.0.5%3A1883'
  shoal get ID -o /data/ --max-down 5MiB
  shoal get disk.img.seed -o - | tar -x
  shoal get ID -o - --range 0-511     fetches only the chunks with these bytes
  shoal get ID1 ID2 ID3 -o /data/     several at the same time
  shoal get disk.img                  by its name, if only one seed has it
  shoal get photos --only '*.jpg'     some files of a folder
  shoal get photos -o - --only a.txt  one file of a folder

The start of an id works as well (6 digits or more), and so does the web address
of a file (only the id in the address is used). 64 hexadecimal digits are always
an id. An argument that contains a slash or ends with .seed is a path, unless it
is a link or a web address.

--check chunks is faster: it verifies every chunk against the seed, but not the
digest of the whole file, or of each file of a folder. If a download of a file
is resumed with --check chunks, on Linux, and the machine was not restarted
since, the chunks that the earlier download recorded are not hashed again. If a
download of a folder is resumed with --check chunks, its recorded chunks are
always hashed again.

Shows a progress bar, then the path, the digest and how much each node sent. An
interrupted download keeps its verified chunks; run the same command again to
resume it. A correct file that already exists is not downloaded. If another
version of the file exists, only the chunks that differ are downloaded. The file
is then replaced at the end, and its permissions are kept. A file with no chunk
in common with the seed is never replaced. A new file gets the default
permissions, even if the original was executable. Holes of a sparse file stay
holes. If several downloads write to the same file, one of them downloads it and
the others wait.

A folder appears under its name when all its files are right. If a folder of
that name exists, it is replaced only if shoal get has made it and nothing in it
was changed since. A glob of --only or --exclude without a slash matches names
anywhere in the folder. A glob that matches a folder covers all that is in it.`,
	gateway: `
Examples:
  shoal gateway
  curl http://127.0.0.1:8080/seeds
  curl -OJ http://127.0.0.1:8080/files/ID
  curl http://127.0.0.1:8080/files/ID/        what is in a folder
  curl -OJ http://127.0.0.1:8080/files/ID.zip all of a folder

Streams each file while it downloads the file, and verifies each chunk before it
sends the chunk. For a range request, it downloads only the chunks that contain
bytes of the range, so that a video player can seek.`,
	publish: `
Examples:
  shoal publish ./lab-image --channel lab
  shoal publish ./lab-image --channel lab --to lab-2:100
  shoal publish ./lab-image --channel lab --stages 5,25,100 --stop-at 2%

Shares a file or folder as the next version of a channel, and prints the link of
the channel. Machines that follow the channel get each version by themselves;
machines that are off get it when they are on again. Runs until it is stopped;
the document of the channel stays on the broker.

The keys of a channel are made when it is published for the first time. The
publishing key stays in the folder for state. Move the drawer key away from the
machine: with it, shoal channel rotate replaces a publishing key that was lost
or stolen.

With --stages 5,25,100, the version is given to 5 per cent of the followers
first. The next stage begins when all connected followers of the stage have
applied the version or have failed, and at least --min of them have applied it.
If more than --stop-at have failed, no further stage begins: the command says
which followers failed, and why, and goes on sharing the version.`,
	follow: `
Examples:
  shoal follow 'shoal:channel?id=...' /srv/lab
  shoal follow LINK /srv/lab --exec 'systemctl restart lab'
  shoal follow LINK /srv/lab --group lab-2 --releases 3
  shoal follow LINK /srv/lab --once      get the newest version, and end

Keeps a folder at the newest version of a channel, and shares that version.
Only bytes that the folder does not have are fetched. A file that people have
changed or added is never lost: if the new version has a file of that name, the
changed file is set aside as NAME.mine-VERSION. If the new version does not have
a file of the version before, the file is removed, unless it was changed.

With --releases N, each version gets a folder of its own in FOLDER/releases, and
the link FOLDER/current leads to the newest one. So no reader ever sees a part
of one version and a part of another. N versions are kept.

--exec runs a command after each version, with SHOAL_PATH, SHOAL_SEQ, SHOAL_SEED
and SHOAL_CHANNEL. The folder may contain {channel} and {node}, which stand for
the names of the channel and of this machine.`,
	fleet: `
Examples:
  shoal fleet LINK
  shoal fleet LINK --expect machines.txt --wait
  shoal fleet LINK --csv > fleet.csv

Prints a line for each machine that follows the channel: the version that it
has, how far it is, and why it failed. With --expect, the exit code is 0 only if
all machines that are expected have the newest version. A file for --expect has
the name or node id of a machine in each line.`,
	channel: `
Examples:
  shoal channel ls                    the channels that you publish
  shoal channel show LINK             the newest document on the broker
  shoal channel export LINK           files for openssl pkeyutl -verify
  shoal channel rotate lab --drawer /media/usb/lab.drawer
  shoal channel rotate LINK --drawer FILE       if all other files are lost
  shoal channel close lab             followers keep what they have
  shoal channel rollback /srv/lab     the release before, with --releases only`,
	ls: `
Examples:
  shoal ls --broker mqtt://10.0.0.5:1883
  shoal ls photos                     the files of a folder

Prints a table: name, size, seeders, downloaders and id of each seed, and how
many files a folder has. With a folder as argument, prints the size, kind and
path of each file, link and empty folder in it. The files are not downloaded.`,
	who: `
Example:
  shoal who ID

Prints a table of the nodes that have chunks of the seed: how many chunks each
node has, and its addresses.`,
	seed: `
Examples:
  shoal seed disk.img                 writes disk.img.seed beside it
  shoal seed disk.img -o -            prints the seed
  shoal seed photos                   writes photos.seed and photos.index

Prints the path of the seed, its id and the SHA-256 of the file. Needs no
network. The index of a folder has a line for each file, with its SHA-256. With
the index, other programs can check the files. For example, in the folder:
  sed -nE 's/^([0-9a-f]{64}) [0-9]+ [fx] /\\1  /p' ../photos.index | sha256sum -c`,
	verify: `
Examples:
  shoal verify disk.img.seed          checks disk.img beside it
  shoal verify disk.img.seed /data/disk.img
  shoal verify photos.seed            checks the folder photos beside it

Prints that the file matches the seed, or which chunks and bytes do not match
(exit code 1). For a folder, prints which files are bad, missing and extra. To
name files, the command needs the index of the folder. It takes the index from
the file beside the seed (photos.index), from the seed cache, or from a node.
Without the index, it prints only whether the folder is right.`,
	diff: `
Examples:
  shoal diff photos-1.seed photos-2.seed
  shoal diff disk-old.seed disk-new.seed --json

Prints how many bytes and chunks of the second version have to be fetched by
shoal get if the first version is on the machine. The command needs no network,
and does not need the files or folders themselves. To compare the files of
folders, it needs their indexes beside the seeds (photos-1.index,
photos-2.index), as shoal seed writes them.`,
	watch: `
Examples:
  shoal watch                         all swarms on one screen, live
  shoal watch --json                  every control message as one line of JSON

Reads the control topics only, as any MQTT client can.`,
	demo: `
Examples:
  shoal demo                          with the executable of Node.js as the file
  shoal demo disk.img

Starts a broker, three seeders and a downloader, shows what they do, and removes
all their files at the end.`,
	acl: `
Examples:
  shoal acl mosquitto > /etc/mosquitto/shoal.acl
  shoal acl mosquitto --by user       each node logs in with its --id as user

Prints an ACL file. It lets each node publish only under its own client id (with
--by user: under its user name). The tracker has rights of its own, and needs a
separate user name.
docs/security.md has the rest of a mosquitto.conf.`,
	limits: `
Examples:
  shoal limits
  shoal limits --limit clients=5000   the same, with another value of clients

Prints each limit with its unit, and what happens beyond the limit. Also prints
the most memory that a broker uses, whatever its clients send.`,
} as const;

/** The text at the end of `shoal --help`. */
export const EXIT_CODES = `
Exit codes:
  0 done, 1 failed, 2 wrong usage, 3 nobody has the seed,
  4 the broker cannot be reached, 130 interrupted

Environment:
  SHOAL_BROKER     default of --broker; commas separate several
  SHOAL_JOIN       a join link, used if --broker and SHOAL_BROKER are not set
  SHOAL_ADVERTISE  default of --advertise of a broker; commas separate values
  SHOAL_NODE_NAME  default of --node-name; empty: no name
  SHOAL_LOG_LEVEL  default of --log-level: error, warn, info or debug
  NO_COLOR         turns colours off
  SHOAL_DEBUG      prints the stack trace of an error

The help of each command has examples. For example: shoal help get`;

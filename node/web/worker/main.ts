import type { WorkerCommand } from '../messages.ts';
import { PageSession } from './page-session.ts';

const session = new PageSession((event) => postMessage(event));

/** Carries out `command`; failures show in the transfers. */
function handle(command: WorkerCommand): void {
	switch (command.do) {
		case 'open':
			void session.open(command);
			break;
		case 'look':
			session.look(command.at);
			break;
		case 'get':
			void session.get(command.id, command.name, command.files);
			break;
		case 'share':
			void session.share(command.file);
			break;
		case 'share-folder':
			void session.shareFolder(command.folder);
			break;
		case 'list':
			void session.list(command.id);
			break;
		case 'clock':
			session.channels.clockAhead = command.ahead;
			break;
		case 'channels':
			session.channels.watch(command.ids);
			break;
		case 'stop':
			session.stop(command.id);
			break;
		case 'remove':
			session.remove(command.id);
			break;
		case 'leave':
			session.leave(command.mayReturn);
			break;
		case 'save':
			session.save(command.id, command.path);
			break;
		case 'zip':
		case 'unpack':
			session.saveFolder(command);
			break;
	}
}

addEventListener('message', ({ data }: MessageEvent<WorkerCommand>) => handle(data));

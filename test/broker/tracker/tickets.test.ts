import fc from 'fast-check';
import { checkTicket, TICKET_LIFE, TicketOffice } from '../../../broker/tracker/tickets.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('tickets');
const office = new TicketOffice();
const trip = { from: 'ann-00001', to: 'bob-00001' };
const now = Date.UTC(2026, 0, 1);
const ticket = office.issue(trip, now);
const refused = (work: () => void): void => void throwsCode('ERR_REFUSED', work);

test('a ticket lets the node it is for in at the node it is for, for five minutes', () => {
	checkTicket(ticket, trip, office.key, now);
	checkTicket(ticket, trip, office.key, now + TICKET_LIFE);
	refused(() => checkTicket(ticket, trip, office.key, now + TICKET_LIFE + 1));
});

test('it is of no use to another, at another, or with the signature of another tracker', () => {
	refused(() => checkTicket(ticket, { ...trip, from: 'eve-00001' }, office.key, now));
	refused(() => checkTicket(ticket, { ...trip, to: 'eve-00001' }, office.key, now));
	refused(() => checkTicket(ticket, trip, new TicketOffice().key, now));
	refused(() => checkTicket(new TicketOffice().issue(trip, now), trip, office.key, now));
});

test('one with a longer life than any has is refused', () => {
	refused(() => checkTicket(office.issue(trip, now + 60 * TICKET_LIFE), trip, office.key, now));
});

test('whatever is no ticket is refused, and so is every one with a change', () => {
	const [, signature] = ticket.split('.');
	for (const text of ['', '.', ticket.slice(0, -1), `zzzzzzzz.${signature}`, `${ticket}x`, '\0']) {
		refused(() => checkTicket(text, trip, office.key, now));
	}
	fc.assert(
		fc.property(fc.string(), (text) => refused(() => checkTicket(text, trip, office.key, now))),
	);
});

test('a key that is none lets nobody in', () => {
	for (const key of ['', 'A'.repeat(43), 'not a key']) {
		refused(() => checkTicket(ticket, trip, key, now));
	}
});

test.run();

import './base.css';
import './frame.css';
import './views.css';
import './states.css';
import { render } from 'preact';
import { takeToken } from './about.ts';
import { App } from './app.tsx';

takeToken();
// A link with another token that is opened in this tab changes the fragment only.
addEventListener('hashchange', () => takeToken() && location.reload());
render(<App />, document.getElementById('app') as HTMLElement);

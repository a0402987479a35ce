import './base.css';
import './frame.css';
import './views.css';
import './folder.css';
import './states.css';
import { render } from 'preact';
import { takeToken } from './about.ts';
import { App } from './app.tsx';

takeToken();
// Opening a link with another token in this tab changes only the fragment.
addEventListener('hashchange', () => takeToken() && location.reload());
render(<App />, document.getElementById('app') as HTMLElement);

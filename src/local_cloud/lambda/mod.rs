pub struct Lambda;
